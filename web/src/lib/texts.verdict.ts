// The verdict of a training in words, from the codes and figures of the model card, in both languages.

export const en = {
  verdictMeasured: "Compared on {n} lines that the new model had not learned; it reads {m} of them better.",
  verdictFigures: "Wrong letters of 100: {n} before, {m} with the new model.",
  verdictOthers: "Other people's handwriting: {n} wrong letters of 100 before, {m} with the new model.",
  verdictReasons: {
    promoted: "The new model is clearly better. Ketav reads with it from now on.",
    "too-few-lines": "That is too few lines to be sure. Correct more lines.",
    "not-better": "The new model does not read these lines better. Correct more lines.",
    "few-errors-gone": "Most errors are still there. Check that the texts belong to these lines.",
    "may-be-chance": "This may be chance: it is better with a probability of {n} %, and 90 % are needed. Correct more lines.",
    "forgets-others": "It forgot too much of other people's handwriting: {n} wrong letters of 100 are allowed. Correct more lines.",
  } as Record<string, string>,
};

export const he: typeof en = {
  verdictMeasured: "ההשוואה: {n} שורות שהמודל החדש לא למד מהן. {m} מהן הוא קורא טוב יותר.",
  verdictFigures: "אותיות שגויות מתוך 100: {n} קודם, {m} עם המודל החדש.",
  verdictOthers: "כתב יד של אנשים אחרים: {n} אותיות שגויות מתוך 100 קודם, {m} עם המודל החדש.",
  verdictReasons: {
    promoted: "המודל החדש טוב יותר בבירור. מעכשיו כתב קורא איתו.",
    "too-few-lines": "אלה מעט מדי שורות כדי להיות בטוחים. תקנו עוד שורות.",
    "not-better": "המודל החדש אינו קורא את השורות האלה טוב יותר. תקנו עוד שורות.",
    "few-errors-gone": "רוב הטעויות נשארו. בדקו שהטקסטים שייכים לשורות האלה.",
    "may-be-chance": "ייתכן שזה מקרה: ההסתברות שהוא טוב יותר היא {n} %, ודרושים 90 %. תקנו עוד שורות.",
    "forgets-others": "הוא שכח יותר מדי מכתב היד של אנשים אחרים: מותרות {n} אותיות שגויות מתוך 100. תקנו עוד שורות.",
  },
};
