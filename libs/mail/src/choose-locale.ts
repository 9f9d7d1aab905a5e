import { type Locale, locales } from './mail.js';

/**
 * What is known of the language that a person wants: `locale` of the profile, and `Accept-Language`
 * of the request that the mail follows from, when the person may have sent it.
 */
export type LanguageWishes = { readonly locale?: unknown; readonly acceptLanguage?: string | undefined };

/** The profile first, then the header (RFC 9110 §12.5.4), then the preset. Pure. */
export function chooseLocale({ locale, acceptLanguage }: LanguageWishes, preset: Locale): Locale {
  const own = typeof locale === 'string' ? supported(locale) : undefined;
  return own ?? wishedFor(acceptLanguage ?? '') ?? preset;
}

function wishedFor(acceptLanguage: string): Locale | undefined {
  const wishes = acceptLanguage.split(',').map((part) => {
    const [range = '', ...parameters] = part.trim().split(/\s*;\s*/);
    const weight = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
    return { locale: supported(range), weight: weight === undefined ? 1 : Number(weight) };
  });
  return wishes.filter(({ locale, weight }) => locale && weight > 0).toSorted((a, b) => b.weight - a.weight)[0]?.locale;
}

/** By the primary language subtag (RFC 5646 §2.2.1): `de-AT` is German. */
const supported = (tag: string): Locale | undefined => {
  const [language = ''] = tag.toLowerCase().split(/[-_]/);
  return locales.find((locale) => locale === language);
};
