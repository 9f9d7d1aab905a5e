import { escapeHtml } from '#libs/platform/contract';

/** Markup. Only `html` makes it, so that no text of a person gets into a page as markup. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | undefined | readonly Html[];

/** Markup with texts in it, which are escaped; parts that are absent are left out. */
export const html = ({ raw }: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(raw.map((text, at) => text + toMarkup(parts[at])).join(''));

function toMarkup(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escapeHtml(part);
  return part instanceof Html ? part.text : part.map(({ text }) => text).join('');
}
