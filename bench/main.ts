/**
 * `npm run bench [-- --peers] [--repetitions N] [--tasks N] [--only TEXT]`: what this machine does with Millrace; with
 * `--peers`, BullMQ and bee-queue beside it in turns, and which targets are reached: the run fails where a floor is
 * missed. `--save` keeps the figures, see publish.ts. With `--console` what the console does instead, with `--instructions` what
 * Redis does for a task, counted. `--only` runs the
 * measures whose name has TEXT in it.
 * Timings on shared machines swing by a factor of two: compare ratios of one run, not figures.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startRedis } from '../tests/support/redis-server';
import { BeeSubject } from './bee-subject';
import { BullmqSubject } from './bullmq-subject';
import { compare, SUBMITTED_SHARE } from './compare';
import { measureCallsAtDepth, measureWorkAtDepth } from './depth';
import { FAN_OUT, measureFanOut } from './fan-out';
import { measureHttp } from './http';
import { measureInstructions } from './instructions';
import { MillraceSubject } from './millrace-subject';
import { publish } from './publish';
import { Figures, printFigures } from './report';
import { measureScripts, SCRIPTS } from './scripts';
import { measureShards, ON_CLUSTER } from './shards';
import type { Subject } from './subject';
import { judge, targetTable } from './targets';

const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    repetitions: { type: 'string' },
    tasks: { type: 'string' },
    only: { type: 'string', default: '' },
    save: { type: 'boolean', default: false },
    console: { type: 'boolean', default: false },
    instructions: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '30' },
    events: { type: 'string', default: '1000' },
    profiles: { type: 'string', default: '' },
    electron: { type: 'string', default: '' },
  },
});

const REPETITIONS = { peers: 5, alone: 3 };

const machine = () =>
  `${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`;
const repetitions = Number(options.repetitions ?? REPETITIONS[options.peers ? 'peers' : 'alone']);
const wanted = (measure: string) => measure.includes(options.only);

/** Its browser is loaded only for it. */
async function benchConsole(): Promise<void> {
  const { measureConsole } = await import('./console');
  console.log(machine());
  await measureConsole({
    tasks: Number(options.tasks ?? 100_000),
    repetitions,
    seconds: Number(options.seconds),
    eventsPerSecond: Number(options.events),
    profiles: options.profiles,
    only: options.only,
    electron: options.electron,
  });
}

async function main(): Promise<void> {
  if (options.console) return benchConsole();
  if (options.instructions) return measureInstructions();
  process.env.BENCH_PROFILES = options.profiles;
  const tasks = Number(options.tasks ?? 20_000);
  const server = await startRedis({
    // The file is not written anew meanwhile, so that its growth can be counted.
    args: ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'],
  });
  const redis = new Redis({ host: server.host, port: server.port });
  const on = `${machine()}, Redis ${/redis_version:(\S+)/.exec(await redis.info('server'))?.[1]}`;
  console.log(on);
  console.log(
    `${tasks} tasks a run, ${repetitions} repetitions, AOF everysec, payload of about 200 bytes, priorities 1 to 10`,
  );
  const figures = new Figures();
  const peers = () => [
    new BullmqSubject(server, { priorities: true }),
    new BullmqSubject(server, { priorities: false }),
    new BeeSubject(server),
  ];
  const subjects = (): Subject[] => [new MillraceSubject(server), ...(options.peers ? peers() : [])];
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    console.error(`repetition ${repetition} of ${repetitions}`);
    await compare({ redis, subjects, figures, tasks, wanted });
    if (wanted(SCRIPTS)) await measureScripts(server, redis, figures);
    if (wanted('depth: work')) await measureWorkAtDepth({ server, redis, figures });
    if (wanted('depth: calls')) await measureCallsAtDepth({ server, redis, figures });
    if (wanted('HTTP')) {
      await redis.flushall();
      await measureHttp(server, figures, tasks * SUBMITTED_SHARE);
    }
    if (wanted(ON_CLUSTER)) await measureShards(figures, tasks);
    if (wanted(FAN_OUT)) {
      await redis.flushall();
      await measureFanOut(server, figures, Number(options.seconds));
    }
  }
  printFigures(figures);
  const judged = judge(figures);
  console.log(`\n${targetTable(judged)}`);
  if (judged.some(({ verdict }) => verdict === 'missed')) process.exitCode = 1;
  if (options.save) {
    const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/ --electron \S+/, '');
    publish({ machine: on, command, at: new Date().toISOString().slice(0, 10), repetitions, tasks }, figures, judged);
  }
  redis.disconnect();
  await server.stop();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
