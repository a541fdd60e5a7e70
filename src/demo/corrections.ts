/** Three corrections as they happen on farms: an old weighing retyped, an entry withdrawn, a transfer redated. */
import type pg from 'pg';

export interface Correction {
  readonly title: string;
  /** Writes it in one transaction; says what it wrote. */
  readonly write: (client: pg.ClientBase) => Promise<string>;
}

export const CORRECTIONS: readonly Correction[] = [
  { title: 'An old weighing is corrected', write: correctSample },
  { title: 'A mortality event is deleted', write: deleteMortality },
  { title: 'A transfer is moved to the day before', write: moveTransfer },
];

interface Named {
  readonly id: string;
  readonly text: string;
}

async function correctSample(client: pg.ClientBase): Promise<string> {
  return one(
    client,
    `update batch_growthsample set avg_weight_g = round(avg_weight_g * 1.05, 2)
     where id = (select id from batch_growthsample order by sample_date, id offset 200 limit 1)
     returning id, format('sample %s of assignment %s on %s now reads %s g', id, assignment_id, sample_date, avg_weight_g) as text`,
  );
}

async function deleteMortality(client: pg.ClientBase): Promise<string> {
  return one(
    client,
    `delete from batch_mortalityevent
     where id = (select id from batch_mortalityevent where count > 0 order by event_date, id offset 2000 limit 1)
     returning id, format('mortality event %s of %s (%s fish) is gone', id, event_date, count) as text`,
  );
}

async function moveTransfer(client: pg.ClientBase): Promise<string> {
  return one(
    client,
    `update batch_transferaction set actual_execution_date = actual_execution_date - 1
     where id = (
       select t.id from batch_transferaction t
       join batch_batchcontainerassignment source on source.id = t.source_assignment_id
       where t.status = 'COMPLETED' and t.actual_execution_date > source.assignment_date + 30
       order by t.actual_execution_date desc, t.id desc limit 1)
     returning id, format('transfer %s from assignment %s to %s now ran on %s', id, source_assignment_id, dest_assignment_id, actual_execution_date) as text`,
  );
}

async function one(client: pg.ClientBase, sql: string): Promise<string> {
  const { rows } = await client.query<Named>(sql);
  const row = rows[0];
  if (row === undefined) throw new Error('the sample holds no row to correct');
  return row.text;
}
