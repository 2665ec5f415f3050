/** `PROD · eu-orders — Failures`: the environment first, since a task bar cuts a title at its end. */
import type { Environment } from '#queue/contract/session';

const SHORT: Readonly<Record<Environment, string>> = {
  production: 'PROD',
  staging: 'STAGING',
  dev: 'DEV',
  local: 'LOCAL',
};

/** @param pageTitle as the page says it, `Failures · Millrace` */
export function windowTitle(pageTitle: string, of: { name: string; environment: Environment | null }): string {
  const screen = pageTitle
    .replace(/\s+·\s+Millrace$/, '')
    .split(' — ')
    .at(-1);
  const where = `${of.environment === null ? 'UNLABELLED' : SHORT[of.environment]} · ${of.name}`;
  return screen === undefined || screen === '' || screen === 'Millrace' ? where : `${where} — ${screen}`;
}
