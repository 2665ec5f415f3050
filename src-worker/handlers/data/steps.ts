/** The steps of a data_processing task, as the payload writes them. */
import { z } from 'zod';
import { FieldName } from '../records/row';
import { MAX_EXPRESSION } from './expression';

const MAX_FIELDS = 100;

export const AGGREGATE_OPS = ['count', 'sum', 'avg', 'min', 'max', 'distinct'] as const;
export type AggregateOp = (typeof AGGREGATE_OPS)[number];

const FILTER_OPS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'not_in',
  'contains',
  'starts_with',
  'ends_with',
  'exists',
  'missing',
] as const;

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Fields = z.union([FieldName, z.array(FieldName).min(1).max(MAX_FIELDS)]);

export const Filter = z.strictObject({
  type: z.literal('filter'),
  field: FieldName.describe('Field to look at; a dotted path reaches into objects'),
  op: z
    .enum(FILTER_OPS)
    .default('eq')
    .describe('Text that is a number compares with numbers by value; contains, starts_with and ends_with ignore case'),
  value: z
    .union([Scalar, z.array(Scalar).max(10_000)])
    .optional()
    .describe('A list for in and not_in; none for exists and missing'),
});

export const MapStep = z.strictObject({
  type: z.literal('map'),
  compute: z
    .record(FieldName, z.string().min(1).max(MAX_EXPRESSION))
    .optional()
    .describe("New fields from expressions, such as `price * quantity`, `round(total, 2)` or `first + ' ' + last`"),
  set: z.record(FieldName, z.json()).optional().describe('Fields with a fixed value'),
  rename: z.record(FieldName, FieldName).optional().describe('Old name to new name'),
  drop: z.array(FieldName).max(MAX_FIELDS).optional().describe('Fields to leave out'),
  keep: z.array(FieldName).min(1).max(MAX_FIELDS).optional().describe('The only fields to keep, in this order'),
});

export const Sort = z.strictObject({
  type: z.literal('sort'),
  by: Fields.describe('Field, or fields in their order of weight; a leading - sorts that one downwards'),
  order: z.enum(['asc', 'desc']).default('asc').describe('Of the fields without a leading -'),
  limit: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Keep only the first N; then the number of records is not bounded'),
});

export const Aggregate = z.strictObject({
  op: z
    .enum(AGGREGATE_OPS)
    .describe('count counts records, or those where the field has a value; distinct counts different values'),
  field: FieldName.optional().describe('Needed for all but count'),
  as: FieldName.optional().describe("The result's name; default <field>_<op>, or count"),
});
export type Aggregate = z.infer<typeof Aggregate>;

const Aggregates = z.array(Aggregate).min(1).max(MAX_FIELDS);

export const Group = z.strictObject({
  type: z.literal('group'),
  by: Fields.describe('Field or fields whose values make a group'),
  aggregates: Aggregates.default([{ op: 'count' }]).describe('What to work out for each group; default its count'),
});

export const AggregateStep = z.strictObject({
  type: z.literal('aggregate'),
  aggregates: Aggregates.optional().describe(
    'Default: the count, and sum, avg, min and max of each field with numbers',
  ),
});

export const Step = z.discriminatedUnion('type', [Filter, MapStep, Sort, Group, AggregateStep]);
export type Step = z.infer<typeof Step>;
