/** What a Redis has spent so far. */
import type { Redis } from 'ioredis';

export interface Account {
  cpuMs: number;
  /** Those that scripts run are counted as well. */
  commands: number;
  memoryBytes: number;
  /** To and from clients. */
  networkBytes: number;
  /** Of the append-only file, as long as it is not written anew. */
  fileBytes: number;
}

export async function accountOf(redis: Redis): Promise<Account> {
  const sections = ['cpu', 'commandstats', 'memory', 'stats', 'persistence'] as const;
  const [cpu = '', commandStats = '', memory = '', stats = '', persistence = ''] = await Promise.all(
    sections.map((section) => redis.info(section)),
  );
  const number = (text: string, field: string) => Number(new RegExp(`${field}:(\\S+)`).exec(text)?.[1]);
  let commands = 0;
  for (const [, calls] of commandStats.matchAll(/calls=(\d+)/g)) commands += Number(calls);
  return {
    cpuMs: (number(cpu, 'used_cpu_user') + number(cpu, 'used_cpu_sys')) * 1000,
    commands,
    memoryBytes: number(memory, 'used_memory'),
    networkBytes: number(stats, 'total_net_input_bytes') + number(stats, 'total_net_output_bytes'),
    fileBytes: number(persistence, 'aof_current_size'),
  };
}
