/**
 * What can be done to pools and workers by a key or from the palette. On their screen those of the one that is open have
 * keys; the palette has all of them everywhere.
 */
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
    ...(member === null ? [] : withKeys(workerCommands(member, actions))),
    ...(pool === null ? [] : withKeys([...poolCommands(pool, actions), editCommand(pool, input)])),
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
    ...pools.map((each) => poolPlace(each, open)),
  ];
}

/** Of the pool or worker that is open, by the beginning of the id. */
const KEYS: Readonly<Record<string, string>> = {
  'worker-restart': 'shift+r',
  'pool-more': '+',
  'pool-fewer': '-',
  'pool-restart': 'shift+r',
  'pool-edit': 'e',
};

const withKeys = (commands: readonly Command[]): Command[] =>
  commands.map((command) => {
    const keys = KEYS[command.id.split('/')[0] ?? ''];
    return keys === undefined ? command : { ...command, keys };
  });

export const poolPlace = ({ id, name }: Pool, open: (id: string) => void): Command => ({
  id: `pool-open/${id}`,
  title: `Pool ${name}`,
  group: 'Go to',
  icon: 'server',
  consequence: `Opens the pool ${name}.`,
  run: () => open(id),
});

export function workerCommands(member: FleetMember, actions: FleetActions): Command[] {
  const { id, pool, worker } = member;
  const absent = worker === null ? 'Not there yet' : null;
  return [
    {
      id: `worker-restart/${id}`,
      title: `Restart ${id}`,
      group: 'Actions',
      icon: 'refresh',
      refusal: pool === null ? 'Started elsewhere' : actions.refusal('restartWorker'),
      consequence: 'A new process takes its place; running tasks are finished.',
      run: () => actions.restartWorker(member),
    },
    {
      id: `worker-quiet/${id}`,
      title: `Quiet ${id}`,
      group: 'Actions',
      icon: 'pauseCircle',
      refusal: absent ?? actions.refusal('quietWorker'),
      consequence: 'It finishes what it runs and takes nothing new.',
      run: () => actions.quiet(member),
    },
    {
      id: `worker-stop/${id}`,
      title: `Stop ${id}`,
      group: 'Actions',
      icon: 'stop',
      refusal: absent ?? actions.refusal('stopWorker'),
      consequence: 'It asks first.',
      run: () => actions.stop(member),
    },
  ];
}

export function poolCommands(pool: Pool, actions: FleetActions): Command[] {
  const { id, name } = pool;
  return [
    {
      id: `pool-more/${id}`,
      title: `One process more in ${name}`,
      group: 'Actions',
      icon: 'plus',
      refusal: actions.scaleRefusal(pool, 1),
      consequence: `${pool.processes} now; scales ${name} up.`,
      run: () => actions.scale(pool, 1),
    },
    {
      id: `pool-fewer/${id}`,
      title: `One process fewer in ${name}`,
      group: 'Actions',
      icon: 'minus',
      refusal: actions.scaleRefusal(pool, -1),
      consequence: `${pool.processes} now; scales ${name} down.`,
      run: () => actions.scale(pool, -1),
    },
    {
      id: `pool-quiet/${id}`,
      title: `Quiet ${name}`,
      group: 'Actions',
      icon: 'pauseCircle',
      refusal: pool.members.length === 0 ? 'It has no process' : actions.refusal('quietWorker'),
      consequence: 'Its processes finish what they run and take nothing new.',
      run: () => actions.quietPool(pool),
    },
    {
      id: `pool-restart/${id}`,
      title: `Restart ${name}`,
      group: 'Actions',
      icon: 'refresh',
      refusal: actions.refusal('restartPool'),
      consequence: 'One process after the other.',
      run: () => actions.restartPool(pool),
    },
    {
      id: `pool-remove/${id}`,
      title: `Remove ${name}`,
      group: 'Actions',
      icon: 'trash',
      refusal: actions.refusal('deletePool'),
      consequence: 'It asks first.',
      run: () => actions.removePool(pool),
    },
  ];
}

const editCommand = (pool: Pool, { actions, edit }: FleetCommandsInput): Command => ({
  id: `pool-edit/${pool.id}`,
  title: `Edit ${pool.name}`,
  group: 'Actions',
  icon: 'edit',
  refusal: actions.refusal('patchPool'),
  run: () => edit(pool),
});
