/**
 * The entry of the desktop app: reads the configuration, hands the desktop what it runs, and opens the first window.
 * One process for each data folder; a second start is handed over to the first.
 */
import { join } from 'node:path';
import { app, BrowserWindow, dialog, protocol } from 'electron';
import { systemClock } from '#queue/kernel/clock';
import { random } from '#queue/kernel/ids';
import { createLog, type Log } from '#queue/kernel/log';
import { StopWishes } from '#queue/kernel/stop-wishes';
import { describeRedis } from '#queue/redis/options';
import { desktopArguments } from './cli/desktop-arguments';
import { type Config, type ConfigInputs, loadConfig, systemInputs } from './config';
import { declareAppScheme, serveAppPage } from './desktop/app-page';
import { LINK_SCHEME, linkAmong, screenOfLink } from './desktop/deep-links';
import { Desktop } from './desktop/desktop';
import { StartPage } from './desktop/profiles/start-page';
import type { Target } from './desktop/target';
import { hostServer } from './host-server';
import { writePrivate } from './local-redis/server-file';
import { findProgramFiles } from './program-files';
import { obtainRedis } from './redis-source';
import { RememberedPorts } from './remembered-ports';
import { VERSION } from './version';

function start(): void {
  const { flags, configFile } = desktopArguments(process.argv.slice(1));
  const inputs = systemInputs(flags, configFile);
  const config = loadConfig(inputs);
  app.setPath('userData', join(config.dataDir, 'desktop'));
  if (!app.requestSingleInstanceLock()) {
    app.exit(0); // the first one has been told
    return;
  }
  // As root Chromium runs only without its sandbox; enabling it there would take that switch away again. The windows
  // ask for theirs one by one.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  declareAppScheme(protocol);
  const logsDir = join(config.dataDir, 'logs');
  const log = createLog(config.log, { process: 'desktop' }, join(logsDir, 'desktop.log'));
  void run(config, inputs, log, logsDir).catch(fail);
}

async function run(config: Config, inputs: ConfigInputs, log: Log, logsDir: string): Promise<void> {
  let desktop: Desktop | null = null;
  let link = linkAmong(process.argv);
  const follow = (address: string | null) => {
    const screen = address === null ? null : screenOfLink(address);
    if (screen !== null) desktop?.showScreen(screen);
    if (screen !== null && desktop === null) link = address;
  };
  app.on('open-url', (event, address) => {
    event.preventDefault();
    follow(address);
  });
  app.on('second-instance', (_event, args) => {
    desktop?.focus();
    follow(linkAmong(args));
  });
  app.on('window-all-closed', () => undefined); // the desktop ends the app, when its servers have ended
  app.on('before-quit', (event) => {
    event.preventDefault();
    void (desktop?.quit() ?? app.exit(0));
  });
  app.on('activate', () => BrowserWindow.getAllWindows().length > 0 && desktop?.focus());

  await app.whenReady();
  const files = findProgramFiles(__dirname);
  serveAppPage(protocol, files.dashboardDir);
  if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME);
  const ports = new RememberedPorts(join(app.getPath('userData'), 'ports.json'));
  const startPage = new StartPage({
    clock: systemClock,
    dataDir: config.dataDir,
    openLocal: async () => {
      const local = { ...config, redis: null };
      const { resourcesDir } = files;
      const { options, release } = await obtainRedis({ config: local, resourcesDir, clock: systemClock, log, random });
      return { redis: options, release };
    },
  });
  desktop = new Desktop({
    openServer: (target) => hostServer(target, { inputs, files, ports, log, clock: systemClock }),
    profiles: (opened) => startPage.calls(opened),
    version: VERSION,
    dataDir: config.dataDir,
    logsDir,
    preload: join(__dirname, '..', 'preload', 'preload.js'),
    iconsDir: join(files.resourcesDir, 'icons'),
    writeFile: writePrivate,
    clock: systemClock,
    log,
  });
  obeySignals(desktop, log);
  desktop.start();
  follow(link);
  const target = configuredTarget(config) ?? (await startPage.lastLocal());
  if (target === null) desktop.openStart();
  else await desktop.open(target);
}

/** A Redis that was named for this start goes before what is remembered. */
function configuredTarget({ redis, profile }: Config): Target | null {
  if (redis === null) return null;
  const name = profile.name ?? describeRedis(redis);
  return { key: 'configured', name, environment: profile.environment, connection: null };
}

/** From a terminal or the system: no question is asked. The second time nothing is waited for. */
function obeySignals(desktop: Desktop, log: Log): void {
  const wishes = new StopWishes(systemClock);
  const stop = (signal: string) => {
    log.info('told to end', { signal });
    void (wishes.next() === 'again' ? desktop.killNow() : desktop.quitNow());
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stop(signal));
}

function fail(error: unknown): void {
  process.stderr.write(`millrace: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  dialog.showErrorBox('Millrace could not start', error instanceof Error ? error.message : String(error));
  app.exit(1);
}

try {
  start();
} catch (error) {
  void app.whenReady().then(() => fail(error));
}
