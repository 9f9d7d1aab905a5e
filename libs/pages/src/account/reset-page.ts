import { codeInput, emailInput, formFault, hiddenToken, passwordInput } from './form.js';
import { type Frame, layout, section } from './frame.js';
import { type Html, html } from './html.js';
import { formState, type View } from './view.js';

/** `link`, `mail` and `code` name a form; `failed`: the link of it is not good. */
export type ResetStep = 'link' | 'mail' | 'failed' | 'code' | 'sent' | 'done';

export function resetPage(frame: Frame, view: View<ResetStep>): string {
  const { reset, noScript } = frame.texts;
  const isDone = view.step === 'done';
  const isCode = view.step === 'code' || view.step === 'sent';
  const title = view.step === 'link' ? reset.title : reset.askTitle;
  const { text } = layout(frame, { title, noScript: isDone ? undefined : noScript }, [
    isDone
      ? section(
          { id: 'done', title: reset.doneTitle, isShown: true, isOutcome: true },
          html`<p role="status">${reset.done}</p>`,
        )
      : html`${byLink(frame, view)}${isCode ? byCode(frame, view) : ask(frame, view)}`,
  ]);
  return text;
}

function byLink(frame: Frame, view: View<ResetStep>): Html {
  const { reset, fields } = frame.texts;
  const state = formState(frame, view, view.step === 'link' ? ['password'] : undefined);
  return section(
    { id: 'link', title: reset.title, isShown: view.step === 'link' },
    html`<p>${reset.byLink}</p>
      <form method="post" action="${frame.base}/reset/password">
        ${hiddenToken(state)} ${passwordInput('link', fields.password, state)} ${formFault(state)}
        <button type="submit" class="main">${reset.button}</button>
      </form>`,
  );
}

function ask(frame: Frame, view: View<ResetStep>): Html {
  const { reset } = frame.texts;
  const state = formState(frame, view, view.step === 'mail' ? ['email'] : undefined);
  const failed = formState(frame, view, view.step === 'failed' ? [] : undefined);
  return section(
    { id: 'ask', title: reset.askTitle, isShown: view.step !== 'link' },
    html`${formFault(failed)}
      <p>${reset.ask}</p>
      <form method="post" action="${frame.base}/reset">
        ${emailInput('ask', state)} ${formFault(state)}
        <button type="submit" class="main">${reset.askButton}</button>
      </form>
      <details>
        <summary>${reset.haveCode}</summary>
        ${codeForm(frame, { values: view.values ?? {} }, undefined)}
      </details>`,
  );
}

function byCode(frame: Frame, view: View<ResetStep>): Html {
  const { reset, sent } = frame.texts;
  const isSent = view.step === 'sent';
  return section(
    { id: 'code', title: isSent ? reset.codeTitle : reset.title, isShown: true, isOutcome: isSent },
    html`${isSent ? html`<p class="note" role="status">${sent}</p>` : undefined}
      <p>${reset.byCode}</p>
      ${codeForm(frame, view, ['email', 'code', 'password'])}
      <p><a href="${frame.base}/reset">${reset.again}</a></p>`,
  );
}

function codeForm(frame: Frame, view: Omit<View<ResetStep>, 'step'>, names: readonly string[] | undefined): Html {
  const { reset, fields } = frame.texts;
  const state = formState(frame, view, names);
  return html`<form method="post" action="${frame.base}/reset/password">
    ${emailInput('code', state)} ${codeInput('code', state)} ${passwordInput('code', fields.password, state)}
    ${formFault(state)}
    <button type="submit" class="main">${reset.button}</button>
  </form>`;
}
