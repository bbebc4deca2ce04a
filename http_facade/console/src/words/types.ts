/** Forms by `Intl.PluralRules`; `other` is the one that every language has. */
export type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>
export type Message = string | Plural

/** A catalogue in the shape of the English one: the same sections and keys, a plural where that has a plural. */
export type Translation<C> = {
  readonly [S in keyof C]: { readonly [K in keyof C[S]]: C[S][K] extends string ? string : Plural }
}

type Names<M> = M extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
/** What stands in braces in a message; a plural always has `count`. */
export type Placeholders<M> = M extends string
  ? Names<M>
  : M extends Plural
    ? 'count' | Names<Extract<M[keyof M], string>>
    : never
/** The arguments that a message takes: none, or a value for each placeholder. */
export type Values<M> = [Placeholders<M>] extends [never] ? [] : [Record<Placeholders<M>, string | number>]
