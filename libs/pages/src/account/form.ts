import type { PageTexts } from '../texts/english.js';
import type { Faults } from './faults.js';
import { Html, html } from './html.js';

/** What a form shows: its texts, what was typed before, what is wrong with it. */
export type FormState = {
  readonly texts: PageTexts;
  readonly values: Readonly<Record<string, string>>;
  readonly faults: Faults;
};

type Input = {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Attributes beside `id`, `name` and what says what is wrong. */
  readonly attributes: Html;
  /** Passwords are not sent back. */
  readonly isSecret?: true;
};

/** A label, what helps to fill it in, the field, and what is wrong with it; for ears too. */
export function input(form: string, { name, label, hint, attributes, isSecret }: Input, state: FormState): Html {
  const id = `${form}-${name}`;
  const faults = state.faults.fields[name] ?? [];
  const isFirst = Object.keys(state.faults.fields)[0] === name;
  const describedBy = [hint && `${id}-hint`, faults.length > 0 && `${id}-error`].filter(Boolean).join(' ');
  return html`<div class="field">
    <label for="${id}">${label}</label>
    ${hint === undefined ? undefined : html`<p class="hint" id="${id}-hint">${hint}</p>`}
    <input
      id="${id}"
      name="${name}"
      ${attributes}
      ${describedBy === '' ? undefined : html` aria-describedby="${describedBy}"`}
      ${faults.length === 0 ? undefined : html` aria-invalid="true"`}
      ${isFirst ? html` autofocus` : undefined}
      ${isSecret ? undefined : html` value="${state.values[name] ?? ''}"`}
    />
    ${isSecret ? showButton(id, state.texts) : undefined}
    ${faults.length === 0 ? undefined : html`<p class="error" id="${id}-error" role="alert">${faults.join(' ')}</p>`}
  </div>`;
}

/** Of use with the script alone, which shows it. */
const showButton = (id: string, { fields }: PageTexts): Html =>
  html`<button type="button" class="shows" data-shows="${id}" aria-controls="${id}" aria-pressed="false" hidden>
    ${fields.show}
  </button>`;

/** What is wrong with the whole form. */
export const formFault = ({ faults }: FormState): Html | undefined =>
  faults.form === undefined
    ? undefined
    : html`<p class="error" role="alert" tabindex="-1" autofocus>${faults.form}</p>`;

export const emailInput = (form: string, state: FormState): Html =>
  input(
    form,
    {
      name: 'email',
      label: state.texts.fields.email,
      attributes: html`type="email" autocomplete="email" required maxlength="320"`,
    },
    state,
  );

export const codeInput = (form: string, state: FormState): Html =>
  input(
    form,
    {
      name: 'code',
      label: state.texts.fields.code,
      hint: state.texts.fields.codeHint,
      attributes: html`inputmode="numeric" autocomplete="one-time-code" spellcheck="false" required maxlength="50"`,
    },
    state,
  );

export const passwordInput = (form: string, label: string, state: FormState): Html =>
  input(
    form,
    {
      name: 'password',
      label,
      hint: state.texts.fields.passwordHint,
      attributes: html`type="password" autocomplete="new-password" required maxlength="1024"`,
      isSecret: true,
    },
    state,
  );

/** The token of the link, which the script puts there. */
export const hiddenToken = ({ values }: FormState): Html =>
  html`<input type="hidden" name="token" value="${values['token'] ?? ''}" />`;
