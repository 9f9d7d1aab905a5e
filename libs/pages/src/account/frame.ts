import type { FastifyRequest } from 'fastify';

import { toPublicPath } from '#libs/platform/http';

import type { PageTexts } from '../texts/english.js';
import { textsFor } from '../texts/page-texts.js';
import { type Html, html } from './html.js';

/** What all account pages are written with. */
export type Frame = {
  readonly locale: string;
  readonly texts: PageTexts;
  /** The address of the account pages, as the world asks for it. */
  readonly base: string;
};

export const frameOf = (request: FastifyRequest): Frame => ({
  ...textsFor(request.headers['accept-language']),
  base: toPublicPath(request, '/account'),
});

/** A part of a page that is shown alone. */
type Section = {
  readonly id: string;
  readonly title: string;
  readonly isShown: boolean;
  /** The outcome of a form: a reader hears it first. */
  readonly isOutcome?: boolean;
};

export const section = ({ id, title, isShown, isOutcome }: Section, content: Html): Html =>
  html`<section id="${id}" aria-labelledby="${id}-title" ${isShown ? undefined : html` hidden`}>
    <h1 id="${id}-title" tabindex="-1" ${isOutcome ? html` autofocus` : undefined}>${title}</h1>
    ${content}
  </section>`;

type Page = { readonly title: string; readonly noScript: string | undefined };

/** A whole page. The script shows the section `link` when there is a token behind the `#`. */
export function layout({ locale, texts, base }: Frame, { title, noScript }: Page, sections: readonly Html[]): Html {
  return html`<!doctype html>
    <html lang="${locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow, noarchive" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${base}/account.css" />
        <script type="module" src="${base}/account.js" blocking="render"></script>
      </head>
      <body>
        <main>
          <header>
            <svg aria-hidden="true" viewBox="0 0 24 24">
              <rect x="4.5" y="10.5" width="15" height="10" rx="2.5" />
              <path d="M8 10.5V7.5a4 4 0 0 1 8 0v3M12 14.5v2.2" />
            </svg>
            <p class="where">${texts.on} <strong id="host">Gatehouse</strong></p>
          </header>
          ${noScript === undefined ? undefined : html`<noscript><p class="note">${noScript}</p></noscript>`}
          <p class="note" id="cut" role="alert" hidden>${texts.cut}</p>
          ${sections}
        </main>
        <footer><p>${texts.signsNobodyIn}</p></footer>
      </body>
    </html> `;
}
