/** The desktop around this page, where there is one; in a browser there is none. */
import type { Bridge } from '#main/bridge/contract';

declare global {
  interface Window {
    /** Set by the preload of a desktop window. */
    readonly millrace?: Bridge;
  }
}

export const desktopBridge = (): Bridge | null => window.millrace ?? null;
