/** A small farm in three months: two batches, fish that move between containers, a bit of everything measured. */
import type { SchemaGeneration } from '../../src/demo/source-database.ts';

/** The last day that is computed of it. */
export const FARM_HORIZON = '2024-03-31';

/** Rows that stand before anything else happens. Assignments 1–5; batch 1 has a scenario, batch 2 none. */
export function farmRows(generation: SchemaGeneration): string {
  return [MASTER_DATA, ASSIGNMENTS, EVENTS, generation === 'newer' ? NEWER : OLDER].join(';\n');
}

const MASTER_DATA = `
insert into batch_lifecyclestage values
  (1, 1, 'Fry', 1, 0.5, 6), (2, 1, 'Parr', 2, 6, 60), (3, 1, 'Smolt', 3, 60, 180);
insert into infrastructure_container values (1, 'C1', 1, null), (2, 'C2', 1, null), (3, 'C3', 1, null),
  (4, 'C4', 2, null), (5, 'C5', 2, null), (6, 'C6', null, 1);
insert into environmental_environmentalparameter values (1, 'Temperature'), (2, 'Oxygen');
insert into scenario_temperatureprofile values (1, 'profile');
insert into scenario_temperaturereading (reading_id, profile_id, day_number, temperature)
  select d, 1, d, 8 + d * 0.05 from generate_series(1, 120, 7) d;
insert into scenario_tgcmodel values (1, 'tgc', 2.7, 1, 0.333, 1), (2, 'other', 0.025, 1, 0.333, null);
insert into scenario_tgc_model_stage values (1, 1, 'parr', 3.1, 1, 0.333);
insert into scenario_mortalitymodel values (1, 'weekly', 'weekly', 0.4);
insert into scenario_mortality_model_stage values (1, 1, 'parr', 0.03, null);
insert into scenario_biological_constraints values (1, 'set', true);
insert into scenario_stage_constraint values (1, 1, 'fry', 0.5, 7), (2, 1, 'parr', 7, 55);
insert into batch_batch (id, batch_number, species_id, lifecycle_stage_id, status, start_date) values
  (1, 'B1', 1, 1, 'ACTIVE', '2024-01-01'), (2, 'B2', 1, 2, 'ACTIVE', '2024-01-10');
insert into scenario values
  (1, 'base', '2024-01-01 08:00+00', '2024-01-01', 200, 1, 4.5, 10000, 1, null, 1, 1),
  (2, 'later', '2024-01-02 08:00:00.25+00', '2024-01-01', 200, 1, 4.5, 10000, 2, null, null, null)`;

const ASSIGNMENTS = `
insert into batch_batchcontainerassignment values
  (1, 1, 1, 1, 6000, 5.10, 30.6, '2024-01-01', null, true),
  (2, 1, 2, 1, 4000, null, 0, '2024-01-01', null, true),
  (3, 1, 3, 2, 2500, 12.00, 30, '2024-02-10', null, true),
  (4, 2, 4, 2, 9000, 20.00, 180, '2024-01-10', null, true),
  (5, 2, 5, 2, 3000, 31.00, 93, '2024-02-20', '2024-03-20', false);
insert into batch_transferaction values
  (1, 1, 1, 3, 2500, 12, 'COMPLETED', '2024-02-10', null, null, null, null, '', 'AVERAGE'),
  (2, 2, 4, 5, 3000, 0, 'COMPLETED', '2024-02-20', 33.25, 2.1, 40, 14.2, '', 'LARGEST'),
  (3, 3, 2, null, 500, 0, 'PENDING', null, null, null, null, null, '', 'AVERAGE');
insert into batch_creationaction values (1, 2, 'COMPLETED', 500, 20, '2024-01-05');
insert into harvest_harvestevent values (1, '2024-03-15 09:00+00', 5, 2);
insert into harvest_harvestlot values (1, 1, 700, 35.5)`;

const EVENTS = `
insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
  select 1000 * c + d, c, 1, timestamptz '2024-01-01 06:00+00' + d * interval '1 day', 7.5 + c * 0.1 + d * 0.0125
  from generate_series(1, 5) c, generate_series(0, 80, 3) d;
insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
  select 9000 + d, 1, 2, timestamptz '2024-01-01 06:00+00' + d * interval '1 day', 95 from generate_series(0, 20) d;
insert into inventory_feedingevent (id, batch_id, batch_assignment_id, container_id, feeding_date, feeding_time, amount_kg)
  select 100 * a + d, 1, case when d % 3 = 0 then null else a end, a, date '2024-01-02' + d, '08:00', 0.4 + d * 0.0333
  from generate_series(1, 2) a, generate_series(0, 60) d;
insert into batch_growthsample values
  (1, 1, '2024-01-20', 30, 6.40, 0.4, 1.1), (2, 1, '2024-03-05', 30, 15.20, 0.9, 1.1),
  (3, 3, '2024-03-01', 25, 14.75, 0.8, 1.2), (4, 4, '2024-02-01', 30, 25.00, 1, 1.2),
  (5, 4, '2024-03-10', 30, 44.10, 1, 1.2), (6, 2, '2024-02-15', 20, 9.99, 0.5, 1.0);
insert into batch_mortalityevent (id, batch_id, event_date, count, cause)
  select d, 1 + d % 2, date '2024-01-12' + d * 2, d % 9, 'UNKNOWN' from generate_series(1, 35) d;
insert into health_healthsamplingevent values (1, 2, '2024-03-02');
insert into health_individualfishobservation values (1, 1, 12.10), (2, 1, 13.45), (3, 1, null);
insert into health_treatment values
  (1, 1, 2, 2, '2024-03-02 10:30+00', 'VACCINATION', true, 1),
  (2, 2, 4, null, '2024-03-03 23:45+00', 'BATH', false, null)`;

const NEWER = `
update batch_mortalityevent set assignment_id = 4 where id in (3, 9, 15);
insert into scenario_projection_run values (1, 1, 1, '2024-01-03 08:00+00');
update batch_batch set pinned_projection_run_id = 1 where id = 1;
insert into planning_activitytemplate values (1, 'vaccinate', 'VACCINATION', 'WEIGHT_THRESHOLD', null, 40, null, true);
insert into planning_plannedactivity values
  (1, 2, 4, 'TRANSFER', '2024-02-19', 'COMPLETED', '2024-02-20 12:00+00', 2)`;

const OLDER = `
update batch_batch set pinned_scenario_id = 1 where id = 1;
insert into scenario_scenarioprojection values (1, 1, '2024-01-02', 2, 5.2, 10000, 52)`;

/**
 * What an upgrade from the older generation to the newer does to a farm that runs, one transaction each as Django's
 * migrations are: tables and columns that the newer one adds, the rows carried over, and the columns that go.
 */
export const UPGRADE: readonly string[] = [
  `create table scenario_projection_run (
     run_id bigint generated by default as identity primary key,
     scenario_id bigint not null references scenario deferrable initially deferred,
     run_number integer not null,
     run_date timestamptz not null
   );
   alter table batch_mortalityevent
     add column assignment_id bigint references batch_batchcontainerassignment deferrable initially deferred;
   alter table batch_batch
     add column pinned_projection_run_id bigint references scenario_projection_run deferrable initially deferred;
   alter table scenario_scenarioprojection
     add column projection_run_id bigint references scenario_projection_run deferrable initially deferred`,
  `insert into scenario_projection_run select scenario_id, scenario_id, 1, created_at from scenario;
   update batch_batch set pinned_projection_run_id = pinned_scenario_id where pinned_scenario_id is not null;
   update scenario_scenarioprojection set projection_run_id = scenario_id`,
  `alter table batch_batch drop column pinned_scenario_id;
   alter table scenario_scenarioprojection alter column projection_run_id set not null, drop column scenario_id`,
  `create table planning_activitytemplate (
     id bigint generated by default as identity primary key, name varchar(200) not null,
     activity_type varchar(50) not null, trigger_type varchar(20) not null, day_offset integer,
     weight_threshold_g numeric(10,2), target_lifecycle_stage_id bigint, is_active boolean not null
   );
   create table planning_plannedactivity (
     id bigint generated by default as identity primary key, batch_id bigint not null, container_id bigint,
     activity_type varchar(50) not null, due_date date not null, status varchar(20) not null,
     completed_at timestamptz, transfer_workflow_id bigint
   );
   insert into planning_activitytemplate
     values (1, 'vaccinate', 'VACCINATION', 'WEIGHT_THRESHOLD', null, 40, null, true);
   insert into planning_plannedactivity
     values (1, 2, 4, 'TRANSFER', '2024-02-19', 'COMPLETED', '2024-02-20 12:00+00', 2)`,
];
