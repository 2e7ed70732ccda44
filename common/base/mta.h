#pragma once

namespace mtrk {

// An Mta is the kind of mail transfer agent whose log is read.
enum class Mta { postfix, sendmail };

}  // namespace mtrk
