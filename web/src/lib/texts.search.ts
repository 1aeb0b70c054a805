// The sentences of the search in both languages.

export const en = {
  search: "Search",
  searchAll: "Search all pages",
  searchHere: "Search this folder",
  searchIn: "Where",
  searchEverywhere: "All folders",
  searchHint: "Words in any order. Prefixes such as ו or ה, final letters, niqqud and small reading errors do not matter.",
  searchNone: "No line has these words. Try fewer words, or another spelling.",
  searchHits: "Lines: {n}",
  searchMany: "The first {n} lines",
  searchMore: "Show more lines",
  searchPlace: "Page {n}, line {m}",
  searchErrors: {
    "empty-query": "Type at least one word with a letter or a number.",
    "query-too-long": "Type at most eight words.",
    "not-found": "This folder no longer exists.",
  } as Record<string, string>,
};

export const he: typeof en = {
  search: "חיפוש",
  searchAll: "חיפוש בכל הדפים",
  searchHere: "חיפוש בתיקייה הזו",
  searchIn: "איפה",
  searchEverywhere: "כל התיקיות",
  searchHint: "מילים בכל סדר. אותיות שימוש כמו ו או ה, אותיות סופיות, ניקוד וטעויות קריאה קטנות אינם משנים.",
  searchNone: "אין שורה עם המילים האלה. נסו פחות מילים או כתיב אחר.",
  searchHits: "שורות: {n}",
  searchMany: "{n} השורות הראשונות",
  searchMore: "להציג עוד שורות",
  searchPlace: "דף {n}, שורה {m}",
  searchErrors: {
    "empty-query": "כתבו לפחות מילה אחת עם אות או מספר.",
    "query-too-long": "כתבו לכל היותר שמונה מילים.",
    "not-found": "התיקייה הזו כבר אינה קיימת.",
  },
};
