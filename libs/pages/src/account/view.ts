import type { AppError } from '#libs/platform/errors';

import { noFaults, toFaults } from './faults.js';
import type { FormState } from './form.js';
import type { Frame } from './frame.js';

/** What a page shows: a step, what was typed, and why it failed. */
export type View<Step extends string> = {
  readonly step: Step;
  readonly values?: Readonly<Record<string, string>>;
  readonly error?: AppError;
};

/** The state of one form: only the one that was sent has faults. */
export function formState(
  { texts }: Frame,
  { values = {}, error }: Omit<View<string>, 'step'>,
  names: readonly string[] | undefined,
): FormState {
  const faults = error && names ? toFaults(error, texts, names) : noFaults;
  return { texts, values, faults };
}
