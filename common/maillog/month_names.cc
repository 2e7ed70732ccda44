#include "common/maillog/month_names.h"

#include "common/base/ascii.h"

#include <array>
#include <cstddef>

namespace mtrk::maillog {
namespace {

// A row is a language, a column a month, and each name is followed by '|'. ASCII letters are in
// lower case; others are listed in each case that is in use. No word means two months here.
// Croatian is left out, because its "lip", "srp" and "lis" are other months in Polish and Czech.
using Year = std::array<std::string_view, 12>;
constexpr Year kNames[] = {
    // English, and the many that share its words
    {"jan|january|", "feb|february|", "mar|march|", "apr|april|", "may|", "jun|june|", "jul|july|",
     "aug|august|", "sep|sept|september|", "oct|october|", "nov|november|", "dec|december|"},
    // German, Austrian
    {"jän|j\xE4n|januar|jänner|", "februar|feber|", "mär|märz|m\xE4r|m\xE4rz|mrz|", "", "mai|",
     "juni|", "juli|", "", "", "okt|oktober|", "", "dez|dezember|"},
    // French
    {"janv|janvier|", "févr|février|f\xE9vr|fév|", "mars|", "avr|avril|", "", "juin|",
     "juil|juillet|", "août|ao\xFBt|aoû|", "septembre|", "octobre|", "novembre|",
     "déc|décembre|d\xE9"
     "c|"},
    // Spanish, Catalan
    {"ene|enero|gen|gener|", "febrero|febr|febrer|", "marzo|març|", "abr|abril|", "mayo|maig|",
     "junio|juny|", "julio|juliol|", "ago|agosto|ag|agost|", "septiembre|set|setembre|", "octubre|",
     "noviembre|", "dic|diciembre|des|desembre|"},
    // Italian
    {"gennaio|", "febbraio|", "", "aprile|", "mag|maggio|", "giu|giugno|", "lug|luglio|", "",
     "settembre|", "ott|ottobre|", "", "dicembre|"},
    // Portuguese
    {"janeiro|", "fev|fevereiro|", "março|", "", "mai|maio|", "junho|", "julho|", "", "setembro|",
     "out|outubro|", "novembro|", "dez|dezembro|"},
    // Dutch
    {"januari|", "februari|", "mrt|maart|", "", "mei|", "", "", "augustus|", "", "", "", ""},
    // Swedish, Danish, Norwegian
    {"", "", "", "", "maj|", "", "", "augusti|", "", "", "", "desember|"},
    // Polish
    {"sty|stycznia|", "lut|lutego|", "marca|", "kwi|kwietnia|", "maja|", "cze|czerwca|",
     "lip|lipca|", "sie|sierpnia|", "wrz|września|", "paź|października|", "lis|listopada|",
     "gru|grudnia|"},
    // Czech, Slovak
    {"led|ledna|", "úno|února|", "bře|března|", "dub|dubna|", "kvě|května|máj|",
     "čen|čvn|června|jún|", "čec|čvc|července|júl|", "srp|srpna|", "zář|září|", "říj|října|",
     "listopadu|", "pro|prosince|"},
    // Finnish
    {"tammi|tammikuu|", "helmi|helmikuu|", "maalis|maaliskuu|", "huhti|huhtikuu|",
     "touko|toukokuu|", "kesä|kesäkuu|kes\xE4|", "heinä|heinäkuu|hein\xE4|", "elo|elokuu|",
     "syys|syyskuu|", "loka|lokakuu|", "marras|marraskuu|", "joulu|joulukuu|"},
    // Greek
    {"Ιαν|ιαν|", "Φεβ|φεβ|", "Μαρ|Μάρ|μαρ|", "Απρ|απρ|", "Μαΐ|Μάι|Μαι|μαΐ|", "Ιουν|Ιούν|ιουν|",
     "Ιουλ|Ιούλ|ιουλ|", "Αυγ|Αύγ|αυγ|", "Σεπ|σεπ|", "Οκτ|οκτ|", "Νοε|Νοέ|νοε|", "Δεκ|δεκ|"},
    // Russian, Bulgarian
    {"янв|Янв|января|яну|", "фев|Фев|февраля|", "мар|Мар|марта|", "апр|Апр|апреля|",
     "май|Май|мая|Мая|", "июн|Июн|июня|юни|", "июл|Июл|июля|юли|", "авг|Авг|августа|",
     "сен|Сен|сент|сентября|сеп|", "окт|Окт|октября|", "ноя|Ноя|нояб|ноября|ное|",
     "дек|Дек|декабря|"},
    // Ukrainian
    {"січ|Січ|", "лют|Лют|", "бер|Бер|", "кві|Кві|", "тра|Тра|", "чер|Чер|", "лип|Лип|", "сер|Сер|",
     "вер|Вер|", "жов|Жов|", "лис|Лис|", "гру|Гру|"},
    // Hungarian, Romanian
    {"ian|", "", "márc|", "ápr|", "", "iun|", "iul|", "", "szept|", "", "noi|", ""},
    // Slovenian, Estonian, Latvian, Lithuanian
    {"jaan|saus|", "veebr|vas|", "märts|marts|kov|", "bal|", "maijs|geg|", "juuni|jūn|birž|",
     "juuli|jūl|liep|", "avg|rugp|", "rugs|", "spal|", "lapkr|", "dets|gruod|"},
    // Turkish
    {"oca|", "Şub|şub|", "", "nis|", "", "haz|", "tem|", "ağu|", "eyl|", "eki|", "kas|", "ara|"},
};

bool has_name(std::string_view names, std::string_view word) {
  while (!names.empty()) {
    const std::size_t end = names.find('|');
    const std::string_view name = names.substr(0, end);
    if (name.size() == word.size() && iequals(name, word)) {
      return true;
    }
    names.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

unsigned month_of(std::string_view word) {
  constexpr std::size_t kLongest = 24;
  if (word.empty() || word.size() > kLongest) {
    return 0;
  }
  for (const Year& names : kNames) {
    for (std::size_t month = 0; month < names.size(); ++month) {
      if (has_name(names[month], word)) {
        return static_cast<unsigned>(month + 1);
      }
    }
  }
  return 0;
}

}  // namespace mtrk::maillog
