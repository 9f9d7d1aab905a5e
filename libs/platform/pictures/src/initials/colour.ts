const hues = 36;
const saturation = 0.55;
/** WCAG 2.2 §1.4.3. */
const leastContrast = 4.5;

/**
 * A background on which white text can be read (contrast of at least 4.5), the same one for the same user. Of an id the
 * last digits are taken, which are random; the first ones of a UUIDv7 are its time.
 */
export function colourOf(id: string): string {
  const hue = (Number.parseInt(id.slice(-6), 16) % hues) * (360 / hues);
  let lightness = 0.5;
  while (contrastToWhite(toRgb(hue, lightness)) < leastContrast) lightness -= 0.02;
  return `#${toRgb(hue, lightness)
    .map((part) => part.toString(16).padStart(2, '0'))
    .join('')}`;
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
