/**
 * Where each window was, in one file: `<user data>/windows.json`. A place is used only where it can still be seen: screens
 * come and go. The file is a convenience: one that is damaged is begun anew.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Log } from '#queue/kernel/log';

export const DEFAULT_SIZE = { width: 1360, height: 860 } as const;
export const MIN_SIZE = { width: 800, height: 520 } as const;
/** Of a window that must lie on some screen for its title bar to be caught, pixels. */
const CATCH = { width: 120, height: 40 } as const;
const KEPT_WINDOWS = 100;

const Bounds = z.object({
  x: z.int().min(-100_000).max(100_000),
  y: z.int().min(-100_000).max(100_000),
  width: z.int().min(1).max(20_000),
  height: z.int().min(1).max(20_000),
});
export type Bounds = z.infer<typeof Bounds>;

export const WindowPlace = z.object({ bounds: Bounds, maximized: z.boolean() });
export type WindowPlace = z.infer<typeof WindowPlace>;
const WindowFile = z.object({ version: z.literal(1), windows: z.record(z.string(), WindowPlace) });

/** A kept place, made to fit the screens that there are; null where it cannot be seen on any. */
export function fitPlace(place: WindowPlace, workAreas: readonly Bounds[]): WindowPlace | null {
  const { bounds } = place;
  const area = workAreas.find((screen) => {
    const seenWidth = Math.min(bounds.x + bounds.width, screen.x + screen.width) - Math.max(bounds.x, screen.x);
    const titleSeen = bounds.y >= screen.y && bounds.y + CATCH.height <= screen.y + screen.height;
    return seenWidth >= CATCH.width && titleSeen;
  });
  if (area === undefined) return null;
  const width = Math.min(Math.max(bounds.width, MIN_SIZE.width), area.width);
  const height = Math.min(Math.max(bounds.height, MIN_SIZE.height), area.height);
  return { ...place, bounds: { x: bounds.x, y: bounds.y, width, height } };
}

export interface WindowPlacesDeps {
  path: string;
  /** Writes the file whole or not at all. */
  write: (path: string, text: string) => void;
  log: Log;
}

export class WindowPlaces {
  readonly #deps: WindowPlacesDeps;
  readonly #places: Map<string, WindowPlace>;

  constructor(deps: WindowPlacesDeps) {
    this.#deps = deps;
    this.#places = new Map(Object.entries(readPlaces(deps)));
  }

  get(key: string): WindowPlace | null {
    return this.#places.get(key) ?? null;
  }

  /** The last ones that were moved are kept. */
  set(key: string, place: WindowPlace): void {
    this.#places.delete(key);
    this.#places.set(key, place);
    const windows = Object.fromEntries([...this.#places].slice(-KEPT_WINDOWS));
    try {
      this.#deps.write(this.#deps.path, `${JSON.stringify({ version: 1, windows }, null, 2)}\n`);
    } catch (error) {
      this.#deps.log.warn('the place of a window could not be kept', { error });
    }
  }
}

function readPlaces({ path, log }: WindowPlacesDeps): Record<string, WindowPlace> {
  try {
    return WindowFile.parse(JSON.parse(readFileSync(path, 'utf8'))).windows;
  } catch (error) {
    const first = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!first) log.warn('the places of windows could not be read', { path, error });
    return {};
  }
}
