import { escapeHtml } from '#libs/platform/contract';

type Named = { readonly id: string; readonly firstName: string; readonly lastName: string };

/** A user's initials on a colour of its own, as SVG without scripts, styles and references. */
export function initialsPicture({ id, firstName, lastName }: Named, size: number): string {
  const initials = escapeHtml(initialsOf(firstName, lastName));
  const text = `x="50" y="50" dy=".35em" fill="#fff" font-family="system-ui,sans-serif" font-size="42" text-anchor="middle"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 100 100" role="img" aria-label="${initials}">` +
    `<rect width="100" height="100" fill="${colourOf(id)}"/><text ${text}>${initials}</text></svg>`
  );
}

/** Letters and signs, but no spaces, marks without a letter, or invisible formatting. */
const visible = /[\p{L}\p{N}\p{S}\p{Emoji_Presentation}]/u;
/** Longer clusters (stacked marks, families of emoji) would not fit. */
const clusterLimit = 12;

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** The first visible grapheme cluster (UAX #29) of each name in capitals; `?` if there is none. */
export function initialsOf(firstName: string, lastName: string): string {
  const found = [firstName, lastName].map(firstCharacter).join('');
  return found === '' ? '?' : found;
}

function firstCharacter(name: string): string {
  for (const { segment } of segmenter.segment(name)) {
    if (visible.test(segment)) return upper(segment.slice(0, clusterLimit).toWellFormed());
  }
  return '';
}

/** A capital of more than one character, such as that of ß, is not taken. */
function upper(character: string): string {
  const capital = character.toLocaleUpperCase('und');
  return [...segmenter.segment(capital)].length === 1 ? capital : character;
}

const hues = 36;
const saturation = 0.55;
/** WCAG 2.2 §1.4.3. */
const leastContrast = 4.5;

/**
 * A background on which white text can be read; the same id always gives the same colour. The last
 * digits of the id decide, which are random; the first ones of a UUIDv7 are its time.
 */
export function colourOf(id: string): string {
  const hue = (Number.parseInt(id.slice(-6), 16) % hues) * (360 / hues);
  let lightness = 0.5;
  while (contrastToWhite(toRgb(hue, lightness)) < leastContrast) lightness -= 0.02;
  const digits = toRgb(hue, lightness).map((part) => part.toString(16).padStart(2, '0'));
  return `#${digits.join('')}`;
}

type Rgb = readonly [red: number, green: number, blue: number];

/** CSS Color 4 §7.1. */
function toRgb(hue: number, lightness: number): Rgb {
  const range = saturation * Math.min(lightness, 1 - lightness);
  const part = (offset: number): number => {
    const at = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - range * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [part(0), part(8), part(4)];
}

/** Relative luminance and contrast of WCAG 2.2; white has luminance 1. */
export function contrastToWhite(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}
