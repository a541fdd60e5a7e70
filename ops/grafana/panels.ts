/** Panels in a few words each; what they are made of is the library's. */
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard, PanelBuilder as AnyPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as SeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** A query of the state store's views, as the read-only role. */
export interface SqlPanel {
  readonly kind: 'table' | 'sql-series';
  readonly title: string;
  readonly about: string;
  readonly unit?: string;
  /** Tables without their schema: the role's search_path has it. */
  readonly sql: string;
}

export interface PromPanel {
  readonly kind: 'series' | 'stat';
  readonly title: string;
  readonly about: string;
  /** Grafana's name of the unit: s, short, bytes … */
  readonly unit: string;
  /** Legend → PromQL. */
  readonly queries: Readonly<Record<string, string>>;
}

export type Panel = SqlPanel | PromPanel;

export interface DashboardSpec {
  /** File name, and the dashboard's uid behind `anchorline-`. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly from: string;
  readonly rows: Readonly<Record<string, readonly Panel[]>>;
}

const PROMETHEUS = { type: 'prometheus', uid: '${prometheus}' };
const STORE = { type: 'grafana-postgresql-datasource', uid: '${store}' };
const WIDTH = { stat: 6, series: 12, table: 24, 'sql-series': 24 } as const;
const HEIGHT = { stat: 4, series: 8, table: 10, 'sql-series': 10 } as const;

type Query = Parameters<SeriesBuilder['withTarget']>[0];

export function dashboard({ name, title, about, from, rows }: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(`Anchorline: ${title}`)
    .uid(`anchorline-${name}`)
    .description(about)
    .tags(['anchorline'])
    .time({ from, to: 'now' })
    .refresh('30s')
    .withVariable(new DatasourceVariableBuilder('prometheus').label('Prometheus').type('prometheus'))
    .withVariable(
      new DatasourceVariableBuilder('store').label('State store').type('grafana-postgresql-datasource'),
    );
  for (const [row, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(row));
    for (const panel of panels) builder.withPanel(panelOf(panel));
  }
  return builder.build();
}

function panelOf(panel: Panel): AnyPanel {
  const builder = builderOf(panel)
    .title(panel.title)
    .description(panel.about)
    .span(WIDTH[panel.kind])
    .height(HEIGHT[panel.kind]);
  if (panel.unit !== undefined) builder.unit(panel.unit);
  for (const query of queriesOf(panel)) builder.withTarget(query);
  // One builder per kind of panel, all of the same shape.
  return builder.datasource('queries' in panel ? PROMETHEUS : STORE) as unknown as AnyPanel;
}

function builderOf({ kind }: Panel): SeriesBuilder {
  if (kind === 'stat') return new StatBuilder() as unknown as SeriesBuilder;
  if (kind === 'table') return new TableBuilder() as unknown as SeriesBuilder;
  return new SeriesBuilder();
}

function queriesOf(panel: Panel): Query[] {
  if ('queries' in panel) {
    return Object.entries(panel.queries).map(([legend, expr], i) =>
      new DataqueryBuilder()
        .refId(String.fromCharCode(65 + i))
        .expr(expr)
        .legendFormat(legend),
    );
  }
  const format = panel.kind === 'table' ? 'table' : 'time_series';
  const query = {
    refId: 'A',
    format,
    rawQuery: true,
    editorMode: 'code',
    rawSql: panel.sql,
    datasource: STORE,
  };
  return [{ build: () => query } as unknown as Query];
}
