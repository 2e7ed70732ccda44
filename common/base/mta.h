#pragma once

namespace mtrk {

// The kind of mail transfer agent whose log is read.
enum class Mta { postfix, sendmail };

}  // namespace mtrk
