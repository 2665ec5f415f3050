/** What this browser remembers of its user: the theme for good, the token until the tab closes. */
const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const THEME_KEY = 'millrace.theme';
const TOKEN_KEY = 'millrace.token';

export class Preferences {
  theme = $state<Theme>('system');
  token = $state<string | null>(null);
  readonly #lasting: Storage;
  readonly #ofTab: Storage;

  constructor(lasting: Storage, ofTab: Storage) {
    this.#lasting = lasting;
    this.#ofTab = ofTab;
    this.theme = THEMES.find((theme) => theme === lasting.getItem(THEME_KEY)) ?? 'system';
    this.token = ofTab.getItem(TOKEN_KEY);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#lasting.setItem(THEME_KEY, theme);
  }

  setToken(token: string | null): void {
    this.token = token;
    if (token === null) this.#ofTab.removeItem(TOKEN_KEY);
    else this.#ofTab.setItem(TOKEN_KEY, token);
  }
}

/** Keeps `data-theme` of the page in step. @returns a function that stops it */
export function followTheme(preferences: Preferences, page: HTMLElement, dark: MediaQueryList): () => void {
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
      const { theme } = preferences;
      page.dataset.theme = theme === 'system' ? (systemDark ? 'dark' : 'light') : theme;
    });
  });
}
