/** The menu of a soak: each fault with its weight. What it breaks it mends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { whenReady } from '#queue/redis/connection';
import type { Fleet } from './fleet';
import type { Seeded } from './seeded';

/** Longer than a lease, so that another one takes over. */
const FREEZE_MS = 12_000;

export type Fault = (fleet: Fleet, seeded: Seeded) => Promise<void>;

const one = <T>(from: readonly T[], seeded: Seeded): T | undefined => from[seeded.between(0, from.length - 1)];

async function ask({ world }: Fleet, name: string, ...args: string[]): Promise<void> {
  const { store } = world.engine;
  const connection = store.open('blocking', 'soak');
  if (await whenReady(connection, 5000)) await connection.call(name, ...args).catch(() => undefined);
  store.release(connection);
}

export const FAULTS: readonly (readonly [weight: number, name: string, fault: Fault])[] = [
  [8, 'worker killed', async (fleet, seeded) => void one(fleet.workers, seeded)?.signal('SIGKILL')],
  [
    3,
    'worker frozen',
    async (fleet, seeded) => {
      const worker = one(fleet.workers, seeded);
      worker?.signal('SIGSTOP');
      await sleep(FREEZE_MS);
      worker?.signal('SIGCONT');
    },
  ],
  [2, 'worker told to stop', async (fleet, seeded) => void one(fleet.workers, seeded)?.signal('SIGTERM')],
  [
    2,
    'Redis killed',
    async (fleet, seeded) => {
      fleet.world.redis.kill9();
      await sleep(seeded.between(0, 3000));
      await fleet.world.redis.restart();
    },
  ],
  [
    1,
    'Redis frozen',
    async (fleet, seeded) => {
      const { pid } = fleet.world.redis;
      process.kill(pid, 'SIGSTOP');
      await sleep(seeded.between(500, 4000));
      process.kill(pid, 'SIGCONT');
    },
  ],
  [3, 'network cut', async (fleet) => fleet.proxy.cut()],
  [
    2,
    'network swallows all',
    async (fleet, seeded) => {
      fleet.proxy.hold();
      await sleep(seeded.between(500, 5000));
      fleet.proxy.heal();
    },
  ],
  [2, 'server killed', async (fleet, seeded) => void one(fleet.servers, seeded)?.process.signal('SIGKILL')],
  [1, 'clients killed', (fleet) => ask(fleet, 'CLIENT', 'KILL', 'TYPE', 'normal')],
  [1, 'scripts flushed', (fleet) => ask(fleet, 'SCRIPT', 'FLUSH')],
];
