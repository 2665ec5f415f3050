/** What a report_generation task may ask for. */
import { z } from 'zod';
import { FileName } from '../input/file-name';
import { FieldName } from '../records/row';

/** Lines, or kinds of bars, of a chart. */
export const MAX_SERIES = 6;
export const MAX_COLUMNS = 40;
const ChartKind = z.enum(['bar', 'line']);
const Label = z.string().min(1).max(200);

export const ReportPayload = z.strictObject({
  format: z.enum(['pdf', 'html', 'xlsx']).default('pdf'),
  title: Label.optional().describe('Above the report'),
  source: z
    .enum(['statistics', 'rows'])
    .optional()
    .describe('Default: the rows where there are any, else the statistics of all tasks'),
  rows: z
    .array(z.record(z.string(), z.json()))
    .max(20_000)
    .optional()
    .describe('What to report on; without rows, the numbers of tasks by queue and status'),
  columns: z
    .array(
      z.union([
        FieldName,
        z.strictObject({ field: FieldName, label: Label.optional().describe('Shown above the column') }),
      ]),
    )
    .min(1)
    .max(MAX_COLUMNS)
    .optional()
    .describe('Fields to show, in this order; default all'),
  totals: z
    .boolean()
    .optional()
    .describe('A last row with the sums of the columns with numbers; default only in statistics'),
  chart: z
    .union([
      z.literal(false),
      ChartKind,
      z.strictObject({
        kind: ChartKind.default('bar'),
        x: FieldName.optional().describe('Field along the bottom; default the first without numbers'),
        y: z
          .union([FieldName, z.array(FieldName).min(1).max(MAX_SERIES)])
          .optional()
          .describe('Fields with numbers; default all, up to six'),
        title: Label.optional(),
      }),
    ])
    .optional()
    .describe('bar, line, or what to draw; false for none; default bars where there are numbers'),
  name: FileName.optional().describe('Of the file; default `report`'),
});
