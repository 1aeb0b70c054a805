// The sentences about changing a folder, and about exports of some of its pages, in both languages.

export const en = {
  changeFolder: "Change the folder",
  saveFolder: "Save",
  moveHandHint:
    "Ketav learns this person's handwriting from the lines of this folder from now on. Models that learned from them stay as they are.",
  renameHand: "The same person as {n}: change the name in all folders",
  folderSaved: "The folder is changed.",
  choosePages: "Choose pages",
  chosenPages: "Chosen pages: {n}",
  exportChosen: "Save the chosen texts",
  groundTruth: "Ground truth: pictures and texts of the corrected lines",
  chooseAll: "Choose all",
  chooseNone: "Choose none",
  tooManyChosen: "At most 100 pages can be chosen. Save the texts in several parts, or all of them.",
};

export const he: typeof en = {
  changeFolder: "שינוי התיקייה",
  saveFolder: "שמירה",
  moveHandHint: "מעכשיו כתב לומד את כתב היד של אדם זה מהשורות של התיקייה. מודלים שכבר למדו מהן נשארים כפי שהם.",
  renameHand: "אותו אדם כמו {n}: לשנות את השם בכל התיקיות",
  folderSaved: "התיקייה שונתה.",
  choosePages: "בחירת דפים",
  chosenPages: "דפים שנבחרו: {n}",
  exportChosen: "שמירת הטקסטים שנבחרו",
  groundTruth: "נתוני אמת: תמונות וטקסטים של השורות המתוקנות",
  chooseAll: "לבחור הכול",
  chooseNone: "לא לבחור כלום",
  tooManyChosen: "אפשר לבחור עד 100 דפים. שמרו את הטקסטים בכמה חלקים, או את כולם.",
};
