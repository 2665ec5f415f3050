/** What the workers screen adds to keys and palette: of the pool or worker that is open first, then of all pools. */
import type { Pool } from '#queue/contract/worker';
import type { Command } from '../../commands.svelte';
import type { FleetActions } from './fleet-actions.svelte';
import type { FleetGroup, FleetMember } from './fleet-rows';

export interface FleetCommandsInput {
  readonly groups: readonly FleetGroup[];
  /** That is open. */
  readonly member: FleetMember | null;
  /** That is open. */
  readonly pool: Pool | null;
  readonly actions: FleetActions;
  readonly createRefusal: string | null;
  readonly start: () => void;
  readonly edit: (pool: Pool) => void;
  /** Null closes. */
  readonly open: (id: string | null) => void;
}

export function fleetCommands(input: FleetCommandsInput): Command[] {
  const { groups, member, pool, actions, createRefusal, start, open } = input;
  const pools = groups.flatMap((group) => (group.pool === null ? [] : [group.pool]));
  return [
    {
      id: 'start-pool',
      title: 'Start a pool',
      group: 'Actions',
      icon: 'plus',
      keys: 'shift+n',
      refusal: createRefusal,
      consequence: 'Asks what it is to serve.',
      run: start,
    },
    ...(member === null ? [] : workerCommands(member, actions)),
    ...(pool === null ? [] : poolCommands(pool, input)),
    ...(member === null && pool === null
      ? []
      : [
          {
            id: 'close-worker',
            title: 'Close the inspector',
            group: 'List' as const,
            keys: 'escape',
            hidden: true,
            run: () => open(null),
          },
        ]),
    ...pools.map(
      (each): Command => ({
        id: `open-pool-${each.id}`,
        title: `Pool ${each.name}`,
        group: 'Go to',
        icon: 'server',
        run: () => open(each.id),
      }),
    ),
  ];
}

function workerCommands(member: FleetMember, actions: FleetActions): Command[] {
  const { id, pool, worker } = member;
  const absent = worker === null ? 'Not there yet' : null;
  return [
    {
      id: 'restart-worker',
      title: `Restart ${id}`,
      group: 'Actions',
      icon: 'refresh',
      keys: 'shift+r',
      refusal: pool === null ? 'Started elsewhere' : actions.refusal('restartWorker'),
      consequence: 'A new process takes its place; running tasks are finished.',
      run: () => actions.restartWorker(member),
    },
    {
      id: 'quiet-worker',
      title: `Quiet ${id}`,
      group: 'Actions',
      icon: 'pauseCircle',
      refusal: absent ?? actions.refusal('quietWorker'),
      consequence: 'It finishes what it runs and takes nothing new.',
      run: () => actions.quiet(member),
    },
    {
      id: 'stop-worker',
      title: `Stop ${id}`,
      group: 'Actions',
      icon: 'stop',
      refusal: absent ?? actions.refusal('stopWorker'),
      consequence: 'It asks first.',
      run: () => actions.stop(member),
    },
  ];
}

function poolCommands(pool: Pool, { actions, edit }: FleetCommandsInput): Command[] {
  const { name } = pool;
  return [
    {
      id: 'scale-up',
      title: `One process more in ${name}`,
      group: 'Actions',
      icon: 'plus',
      keys: '+',
      refusal: actions.scaleRefusal(pool, 1),
      run: () => actions.scale(pool, 1),
    },
    {
      id: 'scale-down',
      title: `One process fewer in ${name}`,
      group: 'Actions',
      icon: 'minus',
      keys: '-',
      refusal: actions.scaleRefusal(pool, -1),
      run: () => actions.scale(pool, -1),
    },
    {
      id: 'restart-pool',
      title: `Restart ${name}`,
      group: 'Actions',
      icon: 'refresh',
      keys: 'shift+r',
      refusal: actions.refusal('restartPool'),
      consequence: 'One process after the other.',
      run: () => actions.restartPool(pool),
    },
    {
      id: 'edit-pool',
      title: `Edit ${name}`,
      group: 'Actions',
      icon: 'edit',
      keys: 'e',
      refusal: actions.refusal('patchPool'),
      run: () => edit(pool),
    },
    {
      id: 'remove-pool',
      title: `Remove ${name}`,
      group: 'Actions',
      icon: 'trash',
      refusal: actions.refusal('deletePool'),
      consequence: 'It asks first.',
      run: () => actions.removePool(pool),
    },
  ];
}
