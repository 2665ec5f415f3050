/** Saves a text as a file, as the browser or the desktop's window does with a download. */
export function saveFile(name: string, mediaType: string, parts: readonly string[]): void {
  const url = URL.createObjectURL(new Blob([...parts], { type: `${mediaType};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the address by then; it may not be taken back in the same turn.
  setTimeout(() => URL.revokeObjectURL(url));
}
