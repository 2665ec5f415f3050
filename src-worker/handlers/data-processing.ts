/**
 * data_processing (data): reads records, passes them through steps, and gives them back or writes them to a file.
 *
 * Everything streams: memory stays the same however long the input is, but for sort (without a limit) and for the
 * number of groups and different values, which are bounded, with an error that says so.
 */
import { z } from 'zod';
import type { BuiltInConfig, HandlerContext, HandlerDefinition } from '../handler';
import { aggregateStage, groupStage } from './data/group-stages';
import { DEFAULT_SAMPLE_RECORDS, openRecords } from './data/input';
import { collectInline, writeArtifact } from './data/output';
import { filterStage, mapStage } from './data/row-stages';
import { MAX_SAMPLE_RECORDS } from './data/sample-records';
import { sortStage } from './data/sort-stage';
import { runStages, type Stage } from './data/stage';
import { AGGREGATE_OPS, Step } from './data/steps';
import { FileName, outputName } from './input/file-name';
import { countSources, sourceFields } from './input/source';
import { FieldName, type Row } from './records/row';

const MAX_STEPS = 50;
const FORMATS = ['csv', 'json', 'ndjson'] as const;
const Delimiter = z.string().length(1);
const SampleCount = z.int().min(0).max(MAX_SAMPLE_RECORDS);

export const DataProcessingPayload = z
  .strictObject({
    ...sourceFields,
    records: z
      .union([SampleCount, z.array(z.json())])
      .optional()
      .describe('The records themselves; a number stands for so many generated sample records'),
    generate: SampleCount.optional().describe(
      `Make so many sample records; without any input, ${DEFAULT_SAMPLE_RECORDS} are made`,
    ),
    seed: z
      .int()
      .min(0)
      .max(4_294_967_295)
      .optional()
      .describe('Of the sample records: equal seeds make equal records; default 1'),
    format: z
      .enum(FORMATS)
      .optional()
      .describe('Of path, url or content; default by its file extension, media type or first character'),
    delimiter: Delimiter.optional().describe('Between the cells of a CSV; default a comma'),
    infer_types: z
      .boolean()
      .optional()
      .describe('CSV cells that look like numbers, true or false become such; default true'),
    steps: z
      .array(Step)
      .max(MAX_STEPS)
      .optional()
      .describe('filter, map, sort, group and aggregate, in the order in which they are done'),
    operation: z
      .enum(['aggregate', ...AGGREGATE_OPS])
      .optional()
      .describe(
        'Short for one last step that aggregates: over `field` where given, in groups where `group_by` is given',
      ),
    field: FieldName.optional().describe('Of `operation`'),
    group_by: FieldName.optional().describe('Of `operation`'),
    output: z
      .strictObject({
        format: z.enum(FORMATS).describe('Of the file'),
        name: FileName.optional().describe('Of the file; default the name of the input'),
        delimiter: Delimiter.optional().describe('Between the cells of a CSV; default a comma'),
      })
      .optional()
      .describe('Write the records to a file; else they are in the result, as many as fit'),
  })
  .superRefine((payload, context) => {
    const inputs =
      countSources(payload) + Number(payload.records !== undefined) + Number(payload.generate !== undefined);
    if (inputs > 1) context.addIssue('give only one of records, generate, path, url and content');
    const needsField =
      payload.operation !== undefined && payload.operation !== 'aggregate' && payload.operation !== 'count';
    if (needsField && payload.field === undefined)
      context.addIssue({ code: 'custom', path: ['field'], message: `${payload.operation} needs a field` });
    if (payload.operation === undefined && (payload.field ?? payload.group_by) !== undefined) {
      context.addIssue({ code: 'custom', path: ['operation'], message: 'field and group_by need an operation' });
    }
  });
type Payload = z.infer<typeof DataProcessingPayload>;

export function createDataProcessingHandler(config: BuiltInConfig): HandlerDefinition<typeof DataProcessingPayload> {
  return {
    type: 'data_processing',
    aliases: ['data'],
    description:
      'Filters, maps, sorts, groups and aggregates CSV, JSON or NDJSON records, streamed, inline or into a file',
    payload: DataProcessingPayload,
    run: (context) => processRecords(context, config),
  };
}

async function processRecords(context: HandlerContext<Payload>, config: BuiltInConfig) {
  const { payload, signal } = context;
  let groups: number | undefined;
  const stages = [...(payload.steps ?? []), ...shorthand(payload)].map((step) =>
    createStage(step, (count) => (groups = count)),
  );
  const input = await openRecords(payload, config, signal);
  await context.progress(1, 'reading');

  let recordsIn = 0;
  let recordsOut = 0;
  async function* counted(): AsyncGenerator<Row[]> {
    for await (const rows of input.batches) {
      recordsIn += rows.length;
      const share = input.share(recordsIn);
      await context.progress(
        share === null ? 1 : 1 + 94 * Math.min(1, share),
        `${recordsIn} records read, ${recordsOut} written`,
      );
      yield rows;
    }
    await context.progress(95, `${recordsIn} records read`);
  }
  async function* results(): AsyncGenerator<Row[]> {
    for await (const rows of runStages(counted(), stages, signal)) {
      recordsOut += rows.length;
      yield rows;
    }
  }

  const { output } = payload;
  const sourceName = payload.path ?? null;
  const delivered =
    output === undefined
      ? await collectInline(results())
      : {
          artifact: await writeArtifact(
            results(),
            {
              format: output.format,
              name: outputName(output.name, sourceName, 'records', output.format),
              delimiter: output.delimiter,
            },
            context.artifacts,
            context.log,
          ),
        };
  await context.progress(100, `${recordsIn} records in, ${recordsOut} out`);
  return { records_in: recordsIn, records_out: recordsOut, ...(groups !== undefined && { groups }), ...delivered };
}

function createStage(step: Step, countGroups: (groups: number) => void): Stage {
  switch (step.type) {
    case 'filter':
      return filterStage(step);
    case 'map':
      return mapStage(step);
    case 'sort':
      return sortStage(step);
    case 'group':
      return groupStage(step, countGroups);
    case 'aggregate':
      return aggregateStage(step);
  }
}

/** `operation` as the step that it stands for; the schema has seen to it that it has its field. */
function shorthand({ operation, field, group_by: by }: Payload): Step[] {
  if (operation === undefined) return [];
  if (operation === 'aggregate' && field === undefined && by === undefined) return [{ type: 'aggregate' }];
  const ofField = operation === 'aggregate' ? (['count', 'sum', 'avg', 'min', 'max'] as const) : ([operation] as const);
  const ops = field === undefined ? (['count'] as const) : ofField;
  const aggregates = ops.map((op) => ({ op, field }));
  return [by === undefined ? { type: 'aggregate', aggregates } : { type: 'group', by, aggregates }];
}
