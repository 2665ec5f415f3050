/** IBM Plex Sans, as the console shows it, cut by script; part of the bundle, so a PDF needs no font of the machine. */

import cyrillic400 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-cyrillic-400-normal.woff?inline';
import cyrillic600 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-cyrillic-600-normal.woff?inline';
import cyrillicExt400 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-cyrillic-ext-400-normal.woff?inline';
import cyrillicExt600 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-cyrillic-ext-600-normal.woff?inline';
import greek400 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-greek-400-normal.woff?inline';
import greek600 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-greek-600-normal.woff?inline';
import latin400 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-400-normal.woff?inline';
import latin600 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-600-normal.woff?inline';
import latinExt400 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-ext-400-normal.woff?inline';
import latinExt600 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-ext-600-normal.woff?inline';
import vietnamese400 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-vietnamese-400-normal.woff?inline';
import vietnamese600 from '@fontsource/ibm-plex-sans/files/ibm-plex-sans-vietnamese-600-normal.woff?inline';
import unicodeRanges from '@fontsource/ibm-plex-sans/unicode.json';

export interface FontPart {
  script: string;
  /** First and last code point of each range that it has. */
  ranges: [number, number][];
  /** WOFF files as data URLs. */
  regular: string;
  bold: string;
}

const FILES = {
  latin: [latin400, latin600],
  'latin-ext': [latinExt400, latinExt600],
  cyrillic: [cyrillic400, cyrillic600],
  'cyrillic-ext': [cyrillicExt400, cyrillicExt600],
  greek: [greek400, greek600],
  vietnamese: [vietnamese400, vietnamese600],
} as const;

/** Latin first: most text is found there. */
export function fontParts(): FontPart[] {
  return (Object.keys(FILES) as (keyof typeof FILES)[]).map((script) => ({
    script,
    ranges: parseRanges(unicodeRanges[script]),
    regular: FILES[script][0],
    bold: FILES[script][1],
  }));
}

/** As CSS writes them: `U+0000-00FF,U+0131`. */
function parseRanges(text: string): [number, number][] {
  return text.split(',').map((range) => {
    const [first = '', last = first] = range.trim().replace('U+', '').split('-');
    return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
  });
}
