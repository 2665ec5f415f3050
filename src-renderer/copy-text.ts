/** Puts a text on the clipboard and says so; a browser that refuses is told of as well. */
import type { ToastStore } from './stores/toast-store.svelte';

export async function copyText(text: string, said: string, toasts: ToastStore): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.say(said);
  } catch {
    toasts.fail('The browser does not let this page write to the clipboard');
  }
}
