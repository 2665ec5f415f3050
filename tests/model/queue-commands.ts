/** All made-up calls, the likelier the more often they stand here; and rows of few kinds, which go deeper. */
import fc from 'fast-check';
import type { QueueCommand } from './model-command';
import { agings, cancels, limits, patches, pauses, prunes, removals, requeues } from './operator-commands';
import { submits, submitsOfKin, submitsOfReady } from './submit-commands';
import { attachments, clockSteps, days, flushes, kills, newerLayouts, relays, ticks, waits } from './upkeep-commands';
import { extensions, fetches, serves, tellings, works, worksOfIdle, worksOfNewest } from './work-commands';

const anyCommand: fc.Arbitrary<QueueCommand>[] = [
  submits,
  submits,
  works,
  works,
  works,
  works,
  extensions,
  ticks,
  waits,
  waits,
  clockSteps,
  clockSteps,
  clockSteps,
  cancels,
  removals,
  requeues,
  requeues,
  attachments,
  relays,
  patches,
  patches,
  tellings,
  serves,
  fetches,
  pauses,
  limits,
  prunes,
  // Dear ones are rare.
  fc.oneof(
    { arbitrary: ticks, weight: 8 },
    { arbitrary: agings, weight: 3 },
    { arbitrary: days, weight: 3 },
    { arbitrary: newerLayouts, weight: 2 },
    { arbitrary: flushes, weight: 5 },
    { arbitrary: kills, weight: 1 },
  ),
  works,
  worksOfIdle,
];

/** Tasks that depend on others, and what may happen to either before and after the other is told. */
const kin: fc.Arbitrary<QueueCommand>[] = [
  submitsOfKin,
  submitsOfKin,
  worksOfNewest,
  worksOfNewest,
  worksOfNewest,
  attachments,
  attachments,
  relays,
  cancels,
  removals,
  requeues,
  prunes,
  clockSteps,
];

/** Workers that lose their leases, are asked to cancel, and tell of what is not theirs any more. */
const leases: fc.Arbitrary<QueueCommand>[] = [
  submits,
  works,
  worksOfNewest,
  extensions,
  tellings,
  ticks,
  waits,
  cancels,
  attachments,
  clockSteps,
];

/** Workers that stand by, and die or do not. */
const standing: fc.Arbitrary<QueueCommand>[] = [
  submitsOfReady,
  submitsOfReady,
  submitsOfReady,
  worksOfIdle,
  worksOfIdle,
  worksOfIdle,
  worksOfIdle,
  worksOfIdle,
  fetches,
  extensions,
  ticks,
  cancels,
  clockSteps,
];

/** The waiting ones: due, expired, put off, of types that nobody runs, under keys and limits. */
const waiting: fc.Arbitrary<QueueCommand>[] = [
  submits,
  submits,
  works,
  ticks,
  clockSteps,
  patches,
  serves,
  limits,
  pauses,
  requeues,
  cancels,
  removals,
  days,
];

export const rows = (maxCommands: number) =>
  fc.oneof(
    { arbitrary: fc.commands(anyCommand, { maxCommands, size: 'max' }), weight: 3 },
    ...[kin, leases, standing, waiting].map((few) => ({
      arbitrary: fc.commands(few, { maxCommands, size: 'max' }),
      weight: 1,
    })),
  );
