/** What this browser remembers of its user: how things look for good, the token until the tab closes. */
import { TIME_DISPLAYS, type TimeDisplay } from './format';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
export const DENSITIES = ['compact', 'cozy', 'dense'] as const;
export type Density = (typeof DENSITIES)[number];

const TOKEN_KEY = 'millrace.token';

export class Preferences {
  theme = $state<Theme>('system');
  density = $state<Density>('compact');
  timeDisplay = $state<TimeDisplay>('relative');
  /** Single letters are shortcuts. */
  singleKeys = $state(true);
  sidebarCollapsed = $state(false);
  inspectorOpen = $state(true);
  /** px */
  inspectorWidth = $state(380);
  token = $state<string | null>(null);
  readonly #lasting: Storage;
  readonly #ofTab: Storage;

  constructor(lasting: Storage, ofTab: Storage) {
    this.#lasting = lasting;
    this.#ofTab = ofTab;
    const kept = (name: string) => lasting.getItem(`millrace.${name}`);
    this.theme = oneOf(THEMES, kept('theme')) ?? 'system';
    this.density = oneOf(DENSITIES, kept('density')) ?? 'compact';
    this.timeDisplay = oneOf(TIME_DISPLAYS, kept('timeDisplay')) ?? 'relative';
    this.singleKeys = kept('singleKeys') !== 'false';
    this.sidebarCollapsed = kept('sidebarCollapsed') === 'true';
    this.inspectorOpen = kept('inspectorOpen') !== 'false';
    this.inspectorWidth = Number(kept('inspectorWidth')) || 380;
    this.token = ofTab.getItem(TOKEN_KEY);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#keep('theme', theme);
  }

  setDensity(density: Density): void {
    this.density = density;
    this.#keep('density', density);
  }

  setTimeDisplay(display: TimeDisplay): void {
    this.timeDisplay = display;
    this.#keep('timeDisplay', display);
  }

  nextTimeDisplay(): void {
    const next = TIME_DISPLAYS[(TIME_DISPLAYS.indexOf(this.timeDisplay) + 1) % TIME_DISPLAYS.length];
    this.setTimeDisplay(next ?? 'relative');
  }

  setSingleKeys(on: boolean): void {
    this.singleKeys = on;
    this.#keep('singleKeys', String(on));
  }

  toggleSidebar(): void {
    this.sidebarCollapsed = !this.sidebarCollapsed;
    this.#keep('sidebarCollapsed', String(this.sidebarCollapsed));
  }

  toggleInspector(): void {
    this.inspectorOpen = !this.inspectorOpen;
    this.#keep('inspectorOpen', String(this.inspectorOpen));
  }

  /** @param px between 300 and 720 */
  setInspectorWidth(px: number): void {
    this.inspectorWidth = Math.round(Math.min(720, Math.max(300, px)));
    this.#keep('inspectorWidth', String(this.inspectorWidth));
  }

  setToken(token: string | null): void {
    this.token = token;
    if (token === null) this.#ofTab.removeItem(TOKEN_KEY);
    else this.#ofTab.setItem(TOKEN_KEY, token);
  }

  #keep(name: string, value: string): void {
    this.#lasting.setItem(`millrace.${name}`, value);
  }
}

const oneOf = <Value extends string>(values: readonly Value[], text: string | null): Value | undefined =>
  values.find((value) => value === text);

/** Keeps theme and density of the page in step. @returns a function that stops it */
export function followAppearance(preferences: Preferences, page: HTMLElement, dark: MediaQueryList): () => void {
  return $effect.root(() => {
    let systemDark = $state(dark.matches);
    $effect(() => {
      const changed = () => {
        systemDark = dark.matches;
      };
      dark.addEventListener('change', changed);
      return () => dark.removeEventListener('change', changed);
    });
    $effect.pre(() => {
      const { theme, density } = preferences;
      page.dataset.theme = theme === 'system' ? (systemDark ? 'dark' : 'light') : theme;
      page.dataset.density = density;
    });
  });
}
