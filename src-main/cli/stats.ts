/** `millrace stats`: the totals; with `--watch`, again every second until Ctrl-C. */
import { Command } from 'commander';
import { StatsOverview } from '#queue/contract/queue';
import { number } from './arguments';
import { asJson, table } from './format';
import { addConnectionOptions } from './options';
import { type CliDeps, pause, type Session, withSession } from './session';

interface StatsOptions {
  watch?: boolean;
  interval: number;
  json?: boolean;
}

/** To the top left, and everything below it erased: redraws without a flicker. */
const REDRAW = '\u001b[H\u001b[J';

export const statsCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    new Command('stats')
      .description('Show totals, throughput and latency')
      .option('-w, --watch', 'again and again until Ctrl-C')
      .option('--interval <seconds>', 'with --watch: between two looks', number(0.1, 3600), 1)
      .option('--json', 'print the answer of the API; with --watch, a line of JSON each'),
  ).action((options: StatsOptions, command: Command) =>
    withSession(command, deps, (session) => (options.watch ? watch(options, session) : show(options, session))),
  );

const read = ({ client }: Session): Promise<StatsOverview> => client.get('/api/tasks/stats/overview', StatsOverview);

async function show({ json }: StatsOptions, session: Session): Promise<void> {
  const stats = await read(session);
  session.io.out(json ? asJson(stats) : statsTable(stats));
}

async function watch({ json, interval }: StatsOptions, session: Session): Promise<never> {
  const { io } = session;
  for (;;) {
    const stats = await read(session);
    io.out(json ? `${JSON.stringify(stats)}\n` : `${io.outIsTerminal ? REDRAW : ''}${statsTable(stats)}`);
    await pause(io, interval * 1000);
  }
}

const ms = (value: number | null): string | null => (value === null ? null : `${Math.round(value * 10) / 10} ms`);

export const statsTable = (stats: StatsOverview): string =>
  table(
    ['figure', 'value'],
    [
      ['total', String(stats.total)],
      ['pending', String(stats.pending)],
      ['processing', String(stats.processing)],
      ['scheduled', String(stats.scheduled)],
      ['retrying', String(stats.retrying)],
      ['blocked', String(stats.blocked)],
      ['completed', String(stats.completed)],
      ['failed', String(stats.failed)],
      ['cancelled', String(stats.cancelled)],
      ['workers', String(stats.workers)],
      ['throughput', `${stats.throughput_per_second.toFixed(1)} tasks/s`],
      ['wait p50', ms(stats.latency_ms.p50)],
      ['wait p95', ms(stats.latency_ms.p95)],
      ['wait p99', ms(stats.latency_ms.p99)],
    ],
  );
