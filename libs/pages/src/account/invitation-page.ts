import { tokenInLink } from './account-links.js';
import { formFault, type FormState, hiddenToken, input, passwordInput } from './form.js';
import { type Frame, layout, section } from './frame.js';
import { type Html, html } from './html.js';
import { formState, type View } from './view.js';

export type InvitationStep = 'form' | 'done';

const names = ['token', 'userName', 'password', 'firstName', 'lastName'];

export function invitationPage(frame: Frame, view: View<InvitationStep>): string {
  const { invitation, noScriptToken } = frame.texts;
  const isDone = view.step === 'done';
  const { text } = layout(frame, { title: invitation.title, noScript: isDone ? undefined : noScriptToken }, [
    isDone
      ? section(
          { id: 'done', title: invitation.doneTitle, isShown: true, isOutcome: true },
          html`<p role="status">${invitation.done}</p>`,
        )
      : section({ id: 'form', title: invitation.title, isShown: true }, form(frame, view)),
  ]);
  return text;
}

function form(frame: Frame, view: View<InvitationStep>): Html {
  const { invitation, fields } = frame.texts;
  const state = formState(frame, view, names);
  return html`<p>${invitation.lead}</p>
    <form method="post" action="${frame.base}/invitation">
      ${tokenInput(state)}
      ${input(
        'form',
        {
          name: 'userName',
          label: fields.userName,
          attributes: html`autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="256"`,
        },
        state,
      )}
      ${passwordInput('form', fields.ownPassword, state)}
      <div class="pair">
        ${nameInput('firstName', 'given-name', state)} ${nameInput('lastName', 'family-name', state)}
      </div>
      ${formFault(state)}
      <button type="submit" class="main">${invitation.button}</button>
    </form>`;
}

/** Once the token is known, nobody needs to see it. */
function tokenInput(state: FormState): Html {
  const { token = '' } = state.values;
  const isGood = state.faults.fields['token'] === undefined;
  if (isGood && tokenInLink(token.slice(token.lastIndexOf('#') + 1)) !== undefined) return hiddenToken(state);
  const { fields } = state.texts;
  const attributes = html`autocomplete="off" autocapitalize="none" spellcheck="false" required maxlength="500"`;
  const visible = input('form', { name: 'token', label: fields.token, hint: fields.tokenHint, attributes }, state);
  return html`<div id="pasted">${visible}</div>`;
}

const nameInput = (name: 'firstName' | 'lastName', autocomplete: string, state: FormState): Html =>
  input(
    'form',
    {
      name,
      label: state.texts.fields[name],
      hint: state.texts.fields.nameHint,
      attributes: html`autocomplete="${autocomplete}" maxlength="100"`,
    },
    state,
  );
