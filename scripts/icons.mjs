/**
 * Draws the PNG icons from resources/icons/*.svg; to be run after an SVG was changed. `trayTemplate` is black on
 * transparent, as macOS wants it; `tray` is the same wheel in a blue that shows on light and dark panels.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { ROOT } from './run.mjs';

const folder = join(ROOT, 'resources', 'icons');
const icon = readFileSync(join(folder, 'icon.svg'));
const template = readFileSync(join(folder, 'tray.svg'), 'utf8');
const coloured = template.replaceAll('#000000', '#4f8df0');

/** @param box side of the SVG's viewBox */
async function draw(svg, box, size, name) {
  await sharp(Buffer.from(svg), { density: (72 * size) / box })
    .resize(size, size)
    .png({ compressionLevel: 9 })
    .toFile(join(folder, name));
}

await draw(icon, 1024, 1024, 'icon.png');
await draw(coloured, 32, 32, 'tray.png');
await draw(coloured, 32, 64, 'tray@2x.png');
await draw(template, 32, 16, 'trayTemplate.png');
await draw(template, 32, 32, 'trayTemplate@2x.png');
