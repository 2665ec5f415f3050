/** Commands for queues, pools, workers and failure groups that the palette has wherever one is. Pure. */
import type { FailureGroup } from '#queue/contract/failure';
import type { Queue } from '#queue/contract/queue';
import type { Command } from '../commands.svelte';
import { plural } from '../format';
import { href } from '../router.svelte';
import { errorParts } from '../stores/failure-groups-store.svelte';
import { pauseCommand, type QueuePause } from '../views/queues/queue-pause.svelte';
import type { FleetActions } from '../views/workers/fleet-actions.svelte';
import { poolCommands, poolPlace, workerCommands } from '../views/workers/fleet-commands';
import type { FleetGroup } from '../views/workers/fleet-rows';

export interface ReachInput {
  readonly queues: readonly Queue[];
  readonly groups: readonly FailureGroup[];
  readonly fleet: readonly FleetGroup[];
  readonly pause: QueuePause;
  readonly actions: FleetActions;
  readonly go: (href: string) => void;
}

export function reachCommands({ queues, groups, fleet, pause, actions, go }: ReachInput): Command[] {
  return [
    ...queues.map((queue) => pauseCommand(queue, pause)),
    ...fleet.flatMap(({ pool, members }) => [
      ...(pool === null ? [] : [poolPlace(pool, (id) => go(href('workers', [id]))), ...poolCommands(pool, actions)]),
      ...members.flatMap((member) => workerCommands(member, actions)),
    ]),
    ...groups.map((group) => groupPlace(group, go)),
  ];
}

function groupPlace(group: FailureGroup, go: (href: string) => void): Command {
  const { name, message } = errorParts(group);
  return {
    id: `open-group-${group.fingerprint}`,
    title: `Failure group ${name}: ${message}`,
    group: 'Go to',
    icon: 'failures',
    consequence: `Opens ${plural(group.count, 'failed task')} of ${group.task_type} in ${group.queues.join(', ')}.`,
    run: () => go(href('failures', [], { group: group.fingerprint })),
  };
}
