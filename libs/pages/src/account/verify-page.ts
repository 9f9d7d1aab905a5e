import { codeInput, emailInput, formFault, hiddenToken } from './form.js';
import { type Frame, layout, section } from './frame.js';
import { type Html, html } from './html.js';
import { formState, type View } from './view.js';

/** `link`, `code` and `mail` name a form; `failed`: the link of it is not good. */
export type VerifyStep = 'link' | 'code' | 'mail' | 'failed' | 'sent' | 'done';

export function verifyPage(frame: Frame, view: View<VerifyStep>): string {
  const { verify, noScript } = frame.texts;
  const isDone = view.step === 'done';
  const { text } = layout(frame, { title: verify.title, noScript: isDone ? undefined : noScript }, [
    isDone
      ? section(
          { id: 'done', title: verify.doneTitle, isShown: true, isOutcome: true },
          html`<p role="status">${verify.done}</p>`,
        )
      : html`${byLink(frame, view)}${byCode(frame, view)}`,
  ]);
  return text;
}

function byLink(frame: Frame, view: View<VerifyStep>): Html {
  const { verify } = frame.texts;
  const state = formState(frame, view, view.step === 'link' ? [] : undefined);
  return section(
    { id: 'link', title: verify.title, isShown: view.step === 'link' },
    html`<p>${verify.byLink}</p>
      <form method="post" action="${frame.base}/verify">
        ${hiddenToken(state)} ${formFault(state)}
        <button type="submit" class="main">${verify.button}</button>
      </form>`,
  );
}

function byCode(frame: Frame, view: View<VerifyStep>): Html {
  const { verify, sent } = frame.texts;
  const isSent = view.step === 'sent';
  const failed = formState(frame, view, view.step === 'failed' ? [] : undefined);
  const code = formState(frame, view, view.step === 'code' ? ['email', 'code'] : undefined);
  const mail = formState(frame, view, view.step === 'mail' ? ['email'] : undefined);
  return section(
    { id: 'code', title: verify.title, isShown: view.step !== 'link', isOutcome: isSent },
    html`${isSent ? html`<p class="note" role="status">${sent}</p>` : undefined} ${formFault(failed)}
      <p>${verify.byCode}</p>
      <form method="post" action="${frame.base}/verify">
        ${emailInput('code', code)} ${codeInput('code', code)} ${formFault(code)}
        <button type="submit" class="main">${verify.button}</button>
      </form>
      <h2>${verify.againTitle}</h2>
      <form method="post" action="${frame.base}/verify/mail">
        ${emailInput('mail', mail)} ${formFault(mail)}
        <button type="submit">${verify.againButton}</button>
      </form>`,
  );
}
