/**
 * The entry of the desktop app: the same server process as `--headless`, with a window that shows its dashboard.
 * The window is sandboxed, sees only our own address, and opens nothing else.
 */
import { join } from 'node:path';
import { app, BrowserWindow, dialog, session } from 'electron';
import { systemClock } from '#queue/kernel/clock';
import { createLog } from '#queue/kernel/log';
import { composeServer, type ServerProcess } from './compose';
import { loadConfig, systemInputs } from './config';
import { findProgramFiles } from './program-files';

async function startServer(): Promise<ServerProcess> {
  const files = findProgramFiles(__dirname);
  // A free port: the configured one may be taken by a headless process, and nobody has to know ours.
  const config = loadConfig(systemInputs({ app_port: '0' }));
  const log = createLog(config.log, { process: 'desktop' });
  const onWorkerLine = (line: string) => void process.stderr.write(`${line}\n`);
  const server = await composeServer(config, { files, log, clock: systemClock, onWorkerLine });
  await server.start();
  return server;
}

function openWindow(server: ServerProcess): void {
  const window = new BrowserWindow({
    width: 1360,
    height: 860,
    show: false,
    title: 'Millrace',
    webPreferences: {
      preload: join(__dirname, '..', 'preload', 'preload.js'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
    },
  });
  const { webContents } = window;
  const stayHere = (event: { preventDefault(): void }, url: string) => {
    if (new URL(url).origin !== new URL(server.url).origin) event.preventDefault();
  };
  webContents.on('will-navigate', stayHere);
  webContents.on('will-redirect', stayHere);
  webContents.on('will-attach-webview', (event) => event.preventDefault());
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.once('ready-to-show', () => window.show());
  void window.loadURL(server.url);
}

async function main(): Promise<void> {
  if (!app.requestSingleInstanceLock()) return app.quit();
  app.enableSandbox();
  await app.whenReady();
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.defaultSession.setPermissionCheckHandler(() => false);
  const server = await startServer();
  let stopped = false;
  app.on('second-instance', () => BrowserWindow.getAllWindows()[0]?.focus());
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', (event) => {
    if (stopped) return;
    event.preventDefault(); // workers and Redis first
    void server.stop().finally(() => {
      stopped = true;
      app.quit();
    });
  });
  openWindow(server);
}

main().catch((error: unknown) => {
  dialog.showErrorBox('Millrace could not start', error instanceof Error ? error.message : String(error));
  app.exit(1);
});
