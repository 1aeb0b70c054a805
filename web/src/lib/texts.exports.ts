// The sentences about exports, which jobs write in the background, in both languages.

export const en = {
  exportsTitle: "Saved texts",
  exportsText: "You can close this page: Ketav writes on.",
  exportProgress: "{n} of {m} pages written",
  exportWaits: "Waits to be written",
  exportDone: "Ready: {n}. The file stays here until {m}.",
  exportGone: "The file is gone: files stay for a day, and go when a page or a line is deleted.",
  exportCancelled: "You stopped it.",
  exportStop: "Stop writing",
  exportDownload: "Save the file",
};

export const he: typeof en = {
  exportsTitle: "טקסטים שנשמרו",
  exportsText: "אפשר לסגור את הדף הזה: כתב ממשיך לכתוב.",
  exportProgress: "נכתבו {n} מתוך {m} דפים",
  exportWaits: "מחכה לכתיבה",
  exportDone: "מוכן: {n}. הקובץ נשאר כאן עד {m}.",
  exportGone: "הקובץ כבר לא כאן: קבצים נשמרים יום אחד, ונמחקים כשנמחקים דף או שורה.",
  exportCancelled: "הפסקתם את הכתיבה.",
  exportStop: "להפסיק לכתוב",
  exportDownload: "שמירת הקובץ",
};
