/** What a Redis has spent so far. */
import type { Redis } from 'ioredis';

export interface Account {
  cpuMs: number;
  /** Those that scripts run are counted as well. */
  commands: number;
  memoryBytes: number;
}

export async function accountOf(redis: Redis): Promise<Account> {
  const [cpu, stats, memory] = await Promise.all([redis.info('cpu'), redis.info('commandstats'), redis.info('memory')]);
  const number = (text: string, field: string) => Number(new RegExp(`${field}:(\\S+)`).exec(text)?.[1]);
  let commands = 0;
  for (const [, calls] of stats.matchAll(/calls=(\d+)/g)) commands += Number(calls);
  return {
    cpuMs: (number(cpu, 'used_cpu_user') + number(cpu, 'used_cpu_sys')) * 1000,
    commands,
    memoryBytes: number(memory, 'used_memory'),
  };
}
