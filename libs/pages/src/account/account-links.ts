/** The pages that links in mail lead to. */
export const linkedPages = ['verify', 'reset', 'invitation'] as const;

/**
 * Marks before the token, also percent-encoded and more than once (`%2523`); then the token: 40
 * hexadecimal digits. The script of the pages finds it by the same pattern behind the `#`.
 */
export const tokenAtStart = /^(?:%(?:25)*[\dA-F]{2}|[^\da-z%])*([\da-f]{40})/i;

/** Finds the token in what follows the address of a page, also when the link was changed. */
export const tokenInLink = (rest: string): string | undefined => tokenAtStart.exec(rest)?.[1]?.toLowerCase();
