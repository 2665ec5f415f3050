/** All made-up calls, the likelier the more often they stand here. */
import fc from 'fast-check';
import type { QueueCommand } from './model-command';
import { cancels, limits, patches, pauses, prunes, removals, requeues } from './operator-commands';
import { submits } from './submit-commands';
import { attachments, clockSteps, flushes, kills, relays, ticks, waits } from './upkeep-commands';
import { extensions, serves, tellings, works } from './work-commands';

export const anyCommand: fc.Arbitrary<QueueCommand>[] = [
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
  pauses,
  limits,
  prunes,
  // Dear ones are rare.
  fc.oneof({ arbitrary: ticks, weight: 14 }, { arbitrary: flushes, weight: 5 }, { arbitrary: kills, weight: 1 }),
  works,
];
