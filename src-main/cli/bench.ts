/** `millrace bench`: what this machine and the configured Redis can do together. */
import { Command } from 'commander';
import type { Config } from '../config';
import { wholeNumber } from './arguments';
import type { BenchOptions, BenchReport, LatencyReport } from './bench-run';
import { asJson, table } from './format';
import type { CliIo } from './io';
import { addConfigOptions } from './options';
import { type CliDeps, readConfig } from './session';

/** Connects to the Redis of the configuration, measures, and removes what it made. */
export type BenchRunner = (config: Config, options: BenchOptions, io: CliIo) => Promise<BenchReport>;

interface BenchFlags {
  tasks: number;
  samples: number;
  batch: number;
  payloadBytes: number;
  json?: boolean;
}

export const benchCommand = ({ io }: CliDeps, run: BenchRunner): Command =>
  addConfigOptions(
    new Command('bench')
      .description('Measure throughput and latency against the configured Redis, in a queue of its own')
      .option('-n, --tasks <n>', 'tasks for the throughput', wholeNumber(100, 1_000_000), 20_000)
      .option('--samples <n>', 'tasks for the latencies', wholeNumber(10, 100_000), 500)
      .option('--batch <n>', 'tasks in one call of a worker', wholeNumber(1, 500), 50)
      .option('--payload-bytes <n>', 'size of the payloads', wholeNumber(16, 200_000), 100)
      .option('--json', 'print JSON'),
    ['redis', 'files', 'logs'],
  ).action(async (flags: BenchFlags, command: Command) => {
    const options = {
      tasks: flags.tasks,
      samples: flags.samples,
      batch: flags.batch,
      payloadBytes: flags.payloadBytes,
    };
    const report = await run(readConfig(command, io), options, io);
    io.out(flags.json ? asJson(report) : benchTable(report));
  });

const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')} /s`;
const latencyRow = (name: string, { p50, p95, p99, max }: LatencyReport) => [
  name,
  ...[p50, p95, p99, max].map((ms) => `${ms.toFixed(2)} ms`),
];

export const benchTable = (report: BenchReport): string =>
  `${table(
    ['throughput', `${report.tasks} tasks of ${report.payload_bytes} bytes`],
    [
      ['submit, in bulk', perSecond(report.submit_per_second)],
      ['claim and complete', perSecond(report.work_per_second)],
    ],
  )}\n${table(
    ['latency', 'p50', 'p95', 'p99', 'max'],
    [latencyRow('submit, one by one', report.submit_ms), latencyRow('submit to start, idle worker', report.start_ms)],
  )}\n${report.redis} (Redis ${report.redis_version})\n`;
