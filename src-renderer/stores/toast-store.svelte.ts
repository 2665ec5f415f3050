/** Short notes on what was done, with a way on or back. They leave by themselves; a failure stays until it is closed. */
import type { BrowserTime } from '../net/browser-time';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
  readonly actions: readonly { readonly label: string; readonly run: () => void }[];
}

const STAY_MS = 6000;
const MOST = 4;

export class ToastStore {
  toasts = $state.raw<readonly Toast[]>([]);
  readonly #time: BrowserTime;
  #count = 0;
  /** The pointer or the focus is on one: none leaves. */
  #held = false;

  constructor(time: BrowserTime) {
    this.#time = time;
  }

  say(text: string, actions: Toast['actions'] = []): void {
    const id = this.#add({ text, bad: false, actions });
    this.#leaveLater(id);
  }

  fail(text: string, actions: Toast['actions'] = []): void {
    this.#add({ text, bad: true, actions });
  }

  close(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  hold(on: boolean): void {
    this.#held = on;
  }

  #add(toast: Omit<Toast, 'id'>): number {
    const id = ++this.#count;
    this.toasts = [...this.toasts.slice(1 - MOST), { ...toast, id }];
    return id;
  }

  #leaveLater(id: number): void {
    this.#time.after(STAY_MS, () => {
      if (this.#held) this.#leaveLater(id);
      else this.close(id);
    });
  }
}
