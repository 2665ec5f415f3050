/** `PROD · eu-orders — Failures`: the environment first, since a task bar cuts a title at its end. */
import type { Environment } from '../bridge/contract';

const SHORT: Readonly<Record<Environment, string>> = {
  production: 'PROD',
  staging: 'STAGING',
  dev: 'DEV',
  local: 'LOCAL',
};

/** @param pageTitle as the page says it, `Failures · Millrace` */
export function windowTitle(pageTitle: string, of: { name: string; environment: Environment }): string {
  const screen = pageTitle
    .replace(/\s+·\s+Millrace$/, '')
    .split(' — ')
    .at(-1);
  const where = `${SHORT[of.environment]} · ${of.name}`;
  return screen === undefined || screen === '' || screen === 'Millrace' ? where : `${where} — ${screen}`;
}
