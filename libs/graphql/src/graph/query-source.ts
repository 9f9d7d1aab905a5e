import { Lexer, Source, TokenKind } from 'graphql';

import { AppError } from '#libs/platform/errors';

import { queryLimits } from './query-limits.js';

const opening: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Bounds tokens, nesting and aliases by the lexer alone. Parsing and validation take up to 40 ms of the event loop for a
 * kilobyte of aliases (issue 15, M1), so what is too much must be refused before them. Time is linear in the tokens that
 * are allowed; the rest of the text is not read.
 * @returns the refusal; nothing also for a text that is no GraphQL, which the parser refuses and says where
 */
export function findExcess(query: string): AppError | undefined {
  const lexer = new Lexer(new Source(query));
  const count = { tokens: 0, levels: 0, aliases: 0, parentheses: 0 };
  for (let token = advance(lexer); token && token.kind !== TokenKind.EOF; token = advance(lexer)) {
    count.tokens++;
    if (opening.has(token.kind)) count.levels++;
    if (closing.has(token.kind)) count.levels--;
    if (token.kind === TokenKind.PAREN_L) count.parentheses++;
    if (token.kind === TokenKind.PAREN_R) count.parentheses--;
    // Within parentheses a colon separates a name from its value or type, elsewhere an alias from its field.
    if (token.kind === TokenKind.COLON && count.parentheses === 0) count.aliases++;
    if (count.tokens > queryLimits.tokens) return tooMany('tokens', queryLimits.tokens);
    if (count.levels > queryLimits.nesting) return tooMany('levels of brackets', queryLimits.nesting);
    if (count.aliases > queryLimits.aliases) return tooMany('aliases', queryLimits.aliases);
  }
  return undefined;
}

function advance(lexer: Lexer): ReturnType<Lexer['advance']> | undefined {
  try {
    return lexer.advance();
  } catch {
    return undefined;
  }
}

const tooMany = (what: string, limit: number): AppError =>
  new AppError('query-too-costly', { detail: `The query has more than ${limit} ${what}.` });
