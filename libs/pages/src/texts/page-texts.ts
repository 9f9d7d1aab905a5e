import { chooseLocale, type Locale } from '#libs/mail';

import { english, type PageTexts } from './english.js';
import { german } from './german.js';

const byLocale: Readonly<Record<Locale, PageTexts>> = { en: english, de: german };

/** The texts in the language that a browser asks for. */
export function textsFor(acceptLanguage: string | undefined): { readonly locale: Locale; readonly texts: PageTexts } {
  const locale = chooseLocale({ acceptLanguage }, 'en');
  return { locale, texts: byLocale[locale] };
}
