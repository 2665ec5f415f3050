/** The start page in a plain browser: the bridge of a desktop window is a stand-in that answers with what the test gives. */
import type { Page } from '@playwright/test';
import {
  BLANK_FIELDS,
  type DiagnoseEvent,
  type DiagnoseStep,
  type Profile,
  type ProfileList,
} from '#main/bridge/profiles-contract';

export const profileOf = (id: string, more: Partial<Profile>): Profile => ({
  ...BLANK_FIELDS,
  id,
  passwordRef: null,
  sentinelPasswordRef: null,
  lastUsedAt: null,
  lastCheck: null,
  ...more,
});

/** Before the page is opened. */
export async function giveBridge(page: Page, list: Partial<ProfileList>, steps: readonly DiagnoseStep[] = []) {
  const shown: ProfileList = {
    profiles: [],
    secretsAsked: null,
    brokenFile: null,
    dataDir: '/home/ada/.local/share/millrace',
    demo: false,
    ...list,
  };
  await page.addInitScript(
    ({ shown, steps }) => {
      let tell: (event: DiagnoseEvent) => void = () => undefined;
      const failed = { state: 'failed', message: 'TCP failed. connect ECONNREFUSED 10.4.2.11:26379', cure: null };
      const profiles = {
        list: async () => shown,
        connect: async () => failed,
        startLocal: async () => failed,
        diagnose: async (_draft: unknown, run: string) => tell({ kind: 'plan', run, steps: [...steps] }),
        stopDiagnose: async () => undefined,
        test: async () => ({
          reached: false,
          ms: 12,
          text: 'TCP failed. Nothing listens there.',
          cure: 'Check the port.',
        }),
        onDiagnose: (listener: typeof tell) => {
          tell = listener;
          return () => undefined;
        },
      };
      const millrace = {
        profiles,
        version: async () => '1.0.0',
        windowKind: async () => 'start',
        setTheme: async () => undefined,
        on: () => () => undefined,
      };
      Object.assign(globalThis, { millrace });
    },
    { shown, steps },
  );
}
