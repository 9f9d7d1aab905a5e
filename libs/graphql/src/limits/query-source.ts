import { Lexer, Source, type Token, TokenKind } from 'graphql';

import { AppError } from '#libs/platform/errors';

import { queryLimits } from './query-limits.js';

const words = {
  tokens: 'tokens',
  levels: 'levels of brackets',
  aliases: 'aliases',
  sets: 'selection sets',
  spreads: 'spreads of fragments',
  repeats: 'fields of the same name in a selection set',
} as const;
type Counted = keyof typeof words;

const opening: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
/** A name after one of these is a field, a fragment or a directive: no key in the answer. */
const beforeOtherNames: ReadonlySet<TokenKind> = new Set([TokenKind.COLON, TokenKind.SPREAD, TokenKind.AT]);

/**
 * Bounds a query by the lexer alone, in linear time; beyond the limit of tokens nothing is read.
 * Validation compares each pair of fields of one name: `me{id}` 240 times (1.7 kB) held the event
 * loop for 143 ms, so it must not see such a query. Within these bounds it takes some 5 ms at most.
 * @returns the refusal; `undefined` also for what is no GraphQL, since the parser says where
 */
export function findExcess(query: string): AppError | undefined {
  const lexer = new Lexer(new Source(query));
  const meter = new SourceMeter();
  for (let token = next(lexer); token && token.kind !== TokenKind.EOF; token = next(lexer)) {
    const excess = meter.add(token);
    if (excess) {
      return new AppError('query-too-costly', {
        detail: `The query has more than ${queryLimits[excess]} ${words[excess]}.`,
      });
    }
  }
  return undefined;
}

/** `undefined` where the text stops being GraphQL. */
function next(lexer: Lexer): Token | undefined {
  try {
    return lexer.advance();
  } catch {
    return undefined;
  }
}

class SourceMeter {
  readonly #count: Record<Counted, number> = { tokens: 0, levels: 0, aliases: 0, sets: 0, spreads: 0, repeats: 0 };
  /** For each open selection set: how often a name would be a key of its answer. */
  readonly #open: Map<string, number>[] = [];
  #parentheses = 0;
  #previous: Token | undefined;

  /** @returns which limit this token exceeds */
  add(token: Token): Counted | undefined {
    this.#count.tokens++;
    if (opening.has(token.kind)) this.#count.levels++;
    if (closing.has(token.kind)) this.#count.levels--;
    if (token.kind === TokenKind.PAREN_L) this.#parentheses++;
    if (token.kind === TokenKind.PAREN_R) this.#parentheses--;
    // arguments and variables stand in parentheses, and have braces and colons too
    if (this.#parentheses === 0) this.#addToSelection(token);
    this.#previous = token;
    return excessOf(this.#count);
  }

  #addToSelection({ kind, value }: Token): void {
    if (kind === TokenKind.SPREAD) this.#count.spreads++;
    if (kind === TokenKind.COLON) this.#count.aliases++;
    if (kind === TokenKind.BRACE_L) {
      this.#count.sets++;
      this.#open.push(new Map());
    }
    if (kind === TokenKind.BRACE_R) this.#open.pop();
    if (kind === TokenKind.NAME && !this.#isOtherName()) this.#addName(value);
  }

  #addName(name: string): void {
    const names = this.#open.at(-1);
    this.#count.repeats = (names?.get(name) ?? 0) + 1;
    names?.set(name, this.#count.repeats);
  }

  /** The type after the `on` of a fragment is one as well. */
  #isOtherName(): boolean {
    const { kind, value } = this.#previous ?? {};
    return kind !== undefined && (beforeOtherNames.has(kind) || value === 'on');
  }
}

const counted: readonly Counted[] = ['tokens', 'levels', 'aliases', 'sets', 'spreads', 'repeats'];
const excessOf = (count: Readonly<Record<Counted, number>>): Counted | undefined =>
  counted.find((what) => count[what] > queryLimits[what]);
