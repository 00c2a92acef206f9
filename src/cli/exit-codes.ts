/** Answered, also when partly; the input cannot be read, or the answer not written; wrong usage. */
export const ANSWERED = 0;
export const UNREADABLE = 1;
export const MISUSED = 2;
